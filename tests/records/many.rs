//! Many rows at once: what is the same in all of them, what some of them lack, and what changes in a few only.
use crate::each::each;
use crate::rows::*;
use crate::{sorted, write};
use sea_orm::EntityTrait as _;
use zhanggui::records::entity::{account, lot, member};

#[test]
fn what_is_the_same_in_many_rows_is_kept_like_the_rest() {
    each(async |place| {
        for count in [3, 40] {
            let (mut members, mut accounts, mut lots) = (Vec::new(), Vec::new(), Vec::new());
            for n in 0..count {
                let name = format!("{count}-{n}");
                // Nobody was merged; some have no tier; all have the same ledger.
                members.push(member::Model { tier: (n % 3 > 0).then(|| "gold".into()), ..member(&name) });
                accounts.push(account(&name, n));
                lots.push(lot(id(&format!("lot {name}")), &name, n + 1));
            }
            write(&place.db, |unit| {
                members.iter().for_each(|row| unit.t.members.put(row.clone()));
                accounts.iter().for_each(|row| unit.t.accounts.put(row.clone()));
                lots.iter().for_each(|row| unit.t.lots.put(row.clone()));
            })
            .await
            .unwrap();
            let (accounts_before, lots_before) = (accounts.clone(), lots.clone());
            for (n, (account, lot)) in (0..).zip(accounts.iter_mut().zip(&mut lots)) {
                account.debt = 5;
                account.available += n % 2;
                (lot.remaining, lot.state) = (0, "closed".into());
                lot.expires_on = lot.expires_on.filter(|_| n % 2 > 0);
            }
            write(&place.db, |unit| {
                accounts_before.into_iter().for_each(|row| unit.t.accounts.load(row));
                lots_before.into_iter().for_each(|row| unit.t.lots.load(row));
                accounts.iter().for_each(|row| unit.t.accounts.put(row.clone()));
                lots.iter().for_each(|row| unit.t.lots.put(row.clone()));
            })
            .await
            .unwrap();
            let reader = place.db.reader();
            let of_these = |id: &_| members.iter().any(|member| member.id == *id);
            let mut found = member::Entity::find().all(reader).await.unwrap();
            found.retain(|row| of_these(&row.id));
            assert_eq!(sorted(found), sorted(members.clone()));
            let mut found = account::Entity::find().all(reader).await.unwrap();
            found.retain(|row| of_these(&row.member_id));
            assert_eq!(sorted(found), sorted(accounts));
            let mut found = lot::Entity::find().all(reader).await.unwrap();
            found.retain(|row| of_these(&row.member_id));
            assert_eq!(sorted(found), sorted(lots));
        }
    });
}
