//! The readers that walk the JSON text: the whole, entities, lists, rows of facts with arguments.
use crate::lang::typed::{CurrencyId, FactCallId, Ty};
use crate::program::bind::error::{Found, Segment, quoted};
use crate::program::bind::names::Names;
use crate::program::bind::plan::{Kind, Plan};
use crate::program::bind::scalar;
use crate::program::bind::{Cx, FactProblem, MAX_ROWS};
use crate::program::facts::{CallFact, ListData, Slot, Tag, unpack_period};
use crate::program::value::Value;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;

/// Reads the outermost object.
pub(super) fn top<'de, D: Deserializer<'de>>(cx: &mut Cx<'_>, d: D) -> Result<(), D::Error> {
    let plan = &cx.plans.whole;
    PlaceSeed { cx, plan, base: 0 }.deserialize(d)
}

/// Reads the facts of the outermost object, by name: roots, and facts with arguments.
fn facts<'de, A: MapAccess<'de>>(cx: &mut Cx<'_>, map: &mut A) -> Result<(), A::Error> {
    let plans = cx.plans;
    let mut calls_seen = vec![false; plans.calls.len()];
    while let Some(key) = map.next_key_seed(Key { cx, names: &plans.top, what: "fact" })? {
        let call = (key as usize).wrapping_sub(plans.roots.len());
        let read = match (plans.roots.get(key as usize), plans.calls.get(call)) {
            (Some(root), _) => field(cx, root, 0, map),
            (None, Some(_)) if calls_seen.get(call).is_some_and(|seen| *seen) => {
                Err(cx.fail(FactProblem::Duplicate, "given twice".into()))
            }
            (None, Some(plan)) => {
                calls_seen.get_mut(call).into_iter().for_each(|seen| *seen = true);
                map.next_value_seed(PlaceSeed { cx, plan: &plan.rows, base: 0 })
            }
            (None, None) => continue,
        };
        cx.within(read, || Segment::Field(plans.top.name(key).into()))?;
    }
    Ok(())
}

/// Reads the fields of an entity.
fn entity<'de, A: MapAccess<'de>>(
    cx: &mut Cx<'_>,
    names: &Names,
    fields: &[Plan],
    base: usize,
    map: &mut A,
) -> Result<(), A::Error> {
    while let Some(key) = map.next_key_seed(Key { cx, names, what: "field" })? {
        let Some(plan) = fields.get(key as usize) else { continue };
        let read = field(cx, plan, base, map);
        cx.within(read, || Segment::Field(names.name(key).into()))?;
    }
    Ok(())
}

/// Reads one row of a fact with arguments: its slots are stacked on top while it is read.
fn call<'de, A: MapAccess<'de>>(cx: &mut Cx<'_>, id: u32, map: &mut A) -> Result<(), A::Error> {
    let plans = cx.plans;
    let Some(plan) = plans.calls.get(id as usize) else { return Ok(()) };
    let base = cx.facts.slots.len();
    cx.facts.slots.resize(base + plan.plans.len(), Slot::UNKNOWN);
    entity(cx, &plan.fields, &plan.plans, base, map)?;
    for i in 0..plan.plans.len() {
        if cx.slot(base + i).tag == Tag::Unknown {
            let message = format!("\"{}\" is missing", plan.fields.name(i as u32));
            return Err(cx.fail(FactProblem::Incomplete, message));
        }
    }
    let args: Vec<Value> =
        plan.params.iter().enumerate().map(|(i, ty)| value(cx, ty, cx.slot(base + i))).collect();
    let slot = cx.slot(base + plan.params.len());
    cx.facts.slots.truncate(base);
    let fact = FactCallId(id);
    if cx.facts.calls.iter().any(|c| c.fact == fact && c.args == args) {
        return Err(cx.fail(FactProblem::Duplicate, "these arguments are given twice".into()));
    }
    cx.facts.calls.push(CallFact { fact, args, slot });
    Ok(())
}

/// Reads the value of a key into its place, refusing a second one.
fn field<'de, A: MapAccess<'de>>(
    cx: &mut Cx<'_>,
    plan: &Plan,
    base: usize,
    map: &mut A,
) -> Result<(), A::Error> {
    if cx.slot(base + plan.slot as usize).tag != Tag::Unknown {
        return Err(cx.fail(FactProblem::Duplicate, "given twice".into()));
    }
    map.next_value_seed(PlaceSeed { cx, plan, base })
}

/// Reads a key as the number of its name.
struct Key<'c, 'b, 'n> {
    cx: &'c mut Cx<'b>,
    names: &'n Names,
    what: &'static str,
}

impl<'de> DeserializeSeed<'de> for Key<'_, '_, '_> {
    type Value = u32;
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<u32, D::Error> {
        d.deserialize_str(self)
    }
}

impl Visitor<'_> for Key<'_, '_, '_> {
    type Value = u32;
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }
    fn visit_str<E: Error>(self, name: &str) -> Result<u32, E> {
        match self.names.get(name) {
            Some(id) => Ok(id),
            None => {
                let message = format!("no such {} {}; {}", self.what, quoted(name), self.names.hint(name));
                let error = self.cx.fail(FactProblem::UnknownField, message);
                self.cx.within(Err(error), || Segment::Field(short(name)))
            }
        }
    }
}

/// A name from the outside, kept short enough for a path.
fn short(name: &str) -> Box<str> {
    name.chars().filter(|c| !c.is_control()).take(60).collect::<String>().into()
}

/// Reads any value into its place, `base` slots from the start.
struct PlaceSeed<'c, 'b, 'p> {
    cx: &'c mut Cx<'b>,
    plan: &'p Plan,
    base: usize,
}

impl PlaceSeed<'_, '_, '_> {
    fn at(&self) -> usize {
        self.base + self.plan.slot as usize
    }
    fn refuse<E: Error>(self, found: &Found<'_>) -> E {
        scalar::refuse(self.cx, self.plan, found)
    }
}

impl<'de> DeserializeSeed<'de> for PlaceSeed<'_, '_, '_> {
    type Value = ();
    fn deserialize<D: Deserializer<'de>>(self, d: D) -> Result<(), D::Error> {
        d.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for PlaceSeed<'_, '_, '_> {
    type Value = ();
    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a fact")
    }
    fn visit_bool<E: Error>(self, b: bool) -> Result<(), E> {
        if let Kind::Bool = self.plan.kind {
            let at = self.at();
            self.cx.set(at, Slot::value(i64::from(b)));
            return Ok(());
        }
        Err(self.refuse(&Found::Bool(b)))
    }
    fn visit_i64<E: Error>(self, n: i64) -> Result<(), E> {
        let slot = scalar::integer(self.cx, self.plan, i128::from(n))?;
        let slot = scalar::keep(self.cx, self.plan, slot, &Found::Integer(i128::from(n)))?;
        let at = self.at();
        self.cx.set(at, slot);
        Ok(())
    }
    fn visit_u64<E: Error>(self, n: u64) -> Result<(), E> {
        let slot = scalar::integer(self.cx, self.plan, i128::from(n))?;
        let slot = scalar::keep(self.cx, self.plan, slot, &Found::Integer(i128::from(n)))?;
        let at = self.at();
        self.cx.set(at, slot);
        Ok(())
    }
    /// The value is not looked at: it is a float.
    fn visit_f64<E: Error>(self, _: f64) -> Result<(), E> {
        Err(scalar::fraction(self.cx, self.plan))
    }
    fn visit_str<E: Error>(self, text: &str) -> Result<(), E> {
        let slot = scalar::text(self.cx, self.plan, text)?;
        let slot = scalar::keep(self.cx, self.plan, slot, &Found::Text(text))?;
        let at = self.at();
        self.cx.set(at, slot);
        Ok(())
    }
    fn visit_unit<E: Error>(self) -> Result<(), E> {
        if !self.plan.optional {
            return Err(scalar::refuse_null(self.cx, self.plan));
        }
        // An absent entity has absent fields.
        let at = self.at();
        for slot in at..at + self.plan.size as usize {
            self.cx.set(slot, Slot::ABSENT);
        }
        Ok(())
    }
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let at = self.at();
        match &self.plan.kind {
            Kind::Entity(id, fields) => {
                let plans = self.cx.plans;
                let Some(names) = plans.entities.get(*id as usize) else { return Ok(()) };
                self.cx.set(at, Slot::value(1));
                entity(self.cx, names, fields, self.base, &mut map)
            }
            Kind::Money => {
                let slot = scalar::money_object(self.cx, &mut map)?;
                let slot = scalar::keep(self.cx, self.plan, slot, &Found::Object)?;
                self.cx.set(at, slot);
                Ok(())
            }
            Kind::Facts => facts(self.cx, &mut map),
            Kind::CallRow(id) => call(self.cx, *id, &mut map),
            _ => Err(self.refuse(&Found::Object)),
        }
    }
    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let at = self.at();
        let (element, is_set) = match self.plan.kind {
            Kind::List(element, is_set) => (element, is_set),
            Kind::CallRows(id) => return calls(self.cx, id, &mut seq),
            _ => return Err(self.refuse(&Found::List)),
        };
        let cx = self.cx;
        let plans = cx.plans;
        let Some(of) = plans.elements.get(element as usize) else { return Ok(()) };
        // Rows are stacked on top of what is being read, and moved to the arena when the list is complete.
        let bottom = cx.facts.slots.len();
        let mut len = 0;
        loop {
            let base = cx.facts.slots.len();
            cx.facts.slots.resize(base + of.width as usize, Slot::UNKNOWN);
            if !row(cx, &of.plan, base, len, &mut seq)? {
                cx.facts.slots.truncate(base);
                break;
            }
            len += 1;
        }
        if is_set && of.width == 1 {
            scalar::refuse_repeated(cx, bottom)?;
        }
        let start = cx.facts.rows.len() as u32;
        cx.facts.rows.extend(cx.facts.slots.drain(bottom..));
        let list = cx.facts.lists.len() as i64;
        cx.facts.lists.push(ListData { element, len, start });
        cx.set(at, Slot::value(list));
        Ok(())
    }
}

/// Reads all rows of a fact with arguments: `[{"year": 2026, "value": "10.00"}]`.
fn calls<'de, A: SeqAccess<'de>>(cx: &mut Cx<'_>, id: u32, seq: &mut A) -> Result<(), A::Error> {
    let plans = cx.plans;
    let Some(plan) = plans.calls.get(id as usize) else { return Ok(()) };
    let mut len = 0;
    while row(cx, &plan.row, 0, len, seq)? {
        len += 1;
    }
    Ok(())
}

/// Reads the next row, if there is one.
fn row<'de, A: SeqAccess<'de>>(
    cx: &mut Cx<'_>,
    plan: &Plan,
    base: usize,
    nth: u32,
    seq: &mut A,
) -> Result<bool, A::Error> {
    let read = seq.next_element_seed(PlaceSeed { cx: &mut *cx, plan, base });
    let found = cx.within(read, || Segment::Index(nth))?.is_some();
    if found && nth >= MAX_ROWS {
        return Err(cx.fail(FactProblem::TooLong, format!("more than {MAX_ROWS} rows")));
    }
    Ok(found)
}

/// A bound scalar as a value.
fn value(cx: &Cx<'_>, ty: &Ty, slot: Slot) -> Value {
    let bits = slot.bits;
    if slot.tag == Tag::Absent {
        return Value::Absent;
    }
    let number = || cx.facts.number(&slot, ty).unwrap_or_default();
    match ty.inner() {
        Ty::Bool => Value::Bool(bits != 0),
        Ty::Int | Ty::Dec | Ty::Unit(_) => Value::Num(number()),
        Ty::Money => Value::Money(number(), CurrencyId(u32::from(slot.currency))),
        Ty::Text => cx.facts.text(cx.symbols, bits).map_or(Value::Absent, |t| Value::Text(t.clone())),
        Ty::Enum(_) => Value::Enum(bits as u32),
        Ty::Node(_) => Value::Node(bits as u32),
        Ty::Date => Value::Date(bits as i32),
        Ty::DateTime => Value::DateTime(bits),
        Ty::Period => Value::Period(unpack_period(bits)),
        Ty::Duration => Value::Duration(bits),
        Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Rate(..) | Ty::Never => Value::Absent,
    }
}
