//! What happened stays as it was recorded, and balances: the schema refuses anything else, whoever writes.
//!
//! Movements, entries and decisions take no UPDATE and no DELETE. A movement is written after its entries and closes them:
//! further entries are refused once it stands. A movement's entries sum to zero. PostgreSQL looks at each statement's new
//! rows together, so a movement's entries come in one statement. SQLite has triggers per row only: there the movement is
//! refused unless its entries sum to zero. (A check in the store would hold only for those who write through the store.)

pub(super) const POSTGRES: &str = "
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23000';
END $$;
CREATE TRIGGER movements_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON movements
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER entries_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON entries
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
CREATE TRIGGER decisions_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON decisions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();

CREATE FUNCTION entries_balance() RETURNS trigger LANGUAGE plpgsql
-- The plan is kept from when there were few movements: it has to look each one up also when there are many.
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
  movement UUID;
  balanced BOOLEAN;
BEGIN
  -- Each movement is looked up once, however many entries it has.
  SELECT movement_id, total = 0 INTO movement, balanced
  FROM (SELECT movement_id, sum(amount) AS total FROM added GROUP BY movement_id) AS sums
  LEFT JOIN movements ON id = movement_id WHERE total <> 0 OR id IS NOT NULL LIMIT 1;
  IF balanced THEN
    RAISE EXCEPTION 'movement % is closed: it takes no further entries', movement USING ERRCODE = '23000';
  ELSIF FOUND THEN
    RAISE EXCEPTION 'the entries of movement % do not sum to zero', movement USING ERRCODE = '23000';
  END IF;
  RETURN NULL;
END $$;
CREATE TRIGGER entries_balance AFTER INSERT ON entries REFERENCING NEW TABLE AS added
  FOR EACH STATEMENT EXECUTE FUNCTION entries_balance();
";

pub(super) const SQLITE: &str = "
CREATE TRIGGER movements_no_update BEFORE UPDATE ON movements BEGIN SELECT RAISE(ABORT, 'movements is append-only'); END;
CREATE TRIGGER movements_no_delete BEFORE DELETE ON movements BEGIN SELECT RAISE(ABORT, 'movements is append-only'); END;
CREATE TRIGGER entries_no_update BEFORE UPDATE ON entries BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
CREATE TRIGGER entries_no_delete BEFORE DELETE ON entries BEGIN SELECT RAISE(ABORT, 'entries is append-only'); END;
CREATE TRIGGER decisions_no_update BEFORE UPDATE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;
CREATE TRIGGER decisions_no_delete BEFORE DELETE ON decisions BEGIN SELECT RAISE(ABORT, 'decisions is append-only'); END;

CREATE TRIGGER movements_balance BEFORE INSERT ON movements
WHEN (SELECT coalesce(sum(amount), 0) FROM entries WHERE movement_id = NEW.id) <> 0
BEGIN SELECT RAISE(ABORT, 'the entries of a movement do not sum to zero'); END;
CREATE TRIGGER entries_closed BEFORE INSERT ON entries
WHEN EXISTS (SELECT 1 FROM movements WHERE id = NEW.movement_id)
BEGIN SELECT RAISE(ABORT, 'the movement is closed: it takes no further entries'); END;
";
