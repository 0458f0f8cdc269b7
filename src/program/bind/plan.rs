//! The layout with everything that reading needs beside it: names, steps, what may be absent.
use crate::lang::typed::*;
use crate::program::amount::Step;
use crate::program::bind::names::Names;
use crate::program::facts::{Layout, Place, Shape};
use crate::program::limits::Limits;
use std::sync::Arc;

/// How one place is read.
#[derive(Debug, Clone)]
pub(super) struct Plan {
    pub(super) slot: u32,
    /// Slots of this place and everything inside it.
    pub(super) size: u32,
    pub(super) optional: bool,
    pub(super) kind: Kind,
    pub(super) limits: Option<Arc<Limits>>,
}

#[derive(Debug, Clone)]
pub(super) enum Kind {
    Bool,
    Int,
    Dec,
    Text,
    Date,
    DateTime,
    Period,
    Duration,
    Money,
    /// Index into [`Plans::units`].
    Unit(u32),
    /// Index into [`Plans::enums`].
    Enum(u32),
    /// Index into [`Plans::taxonomies`].
    Node(u32),
    /// Index into [`Plans::entities`] for the names, and the fields' places.
    Entity(u32, Box<[Plan]>),
    /// Index into [`Plans::elements`]; whether elements may not repeat.
    List(u32, bool),
    /// The outermost object.
    Facts,
    /// The list of a fact with arguments: index into [`Plans::calls`].
    CallRows(u32),
    /// One element of it.
    CallRow(u32),
    /// Not a type of facts (rates).
    Never,
}

/// A unit or currency.
#[derive(Debug, Clone)]
pub(super) struct Scale {
    pub(super) name: Box<str>,
    pub(super) step: Step,
}

/// The element of lists of one type.
#[derive(Debug, Clone)]
pub(super) struct ElementPlan {
    pub(super) plan: Plan,
    pub(super) width: u32,
}

/// A fact with arguments: its rows are read as entities of the parameters and `value`.
#[derive(Debug, Clone)]
pub(super) struct CallPlan {
    pub(super) fields: Names,
    pub(super) plans: Box<[Plan]>,
    /// The types of the parameters.
    pub(super) params: Vec<Ty>,
    /// The list, and one element of it.
    pub(super) rows: Plan,
    pub(super) row: Plan,
}

/// Everything, by the vocabulary's ids.
#[derive(Debug, Clone)]
pub(super) struct Plans {
    /// The outermost object.
    pub(super) whole: Plan,
    /// Roots first, then facts with arguments: one namespace.
    pub(super) top: Names,
    pub(super) roots: Vec<Plan>,
    pub(super) calls: Vec<CallPlan>,
    pub(super) elements: Vec<ElementPlan>,
    pub(super) entities: Vec<Names>,
    pub(super) enums: Vec<(Box<str>, Names)>,
    pub(super) taxonomies: Vec<(Box<str>, Names)>,
    pub(super) units: Vec<Scale>,
    pub(super) currencies: Vec<Scale>,
    pub(super) currency_names: Names,
    pub(super) width: u32,
}

impl Plans {
    pub(super) fn new(vocab: &Vocab, layout: &Layout) -> Plans {
        let names = |list: &[Member]| Names::new(list.iter().map(|m| m.name.as_str()));
        Plans {
            whole: Plan { slot: 0, size: 0, optional: false, kind: Kind::Facts, limits: None },
            top: Names::new(
                vocab
                    .roots
                    .iter()
                    .map(|r| r.name.as_str())
                    .chain(vocab.fact_calls.iter().map(|f| f.name.as_str())),
            ),
            roots: layout.roots.iter().map(plan).collect(),
            calls: vocab.fact_calls.iter().enumerate().map(|(id, def)| call_plan(id as u32, def)).collect(),
            elements: layout
                .elements
                .iter()
                .map(|e| ElementPlan { plan: plan(&e.place), width: e.width })
                .collect(),
            entities: vocab
                .entities
                .iter()
                .map(|e| Names::new(e.fields.iter().map(|f| f.name.as_str())))
                .collect(),
            enums: vocab.enums.iter().map(|e| (e.name.as_str().into(), names(&e.members))).collect(),
            taxonomies: vocab
                .taxonomies
                .iter()
                .map(|t| (t.name.as_str().into(), Names::new(t.nodes.iter().map(|n| n.name.as_str()))))
                .collect(),
            units: vocab
                .units
                .iter()
                .map(|u| Scale { name: u.name.as_str().into(), step: Step::new(&u.step) })
                .collect(),
            currencies: vocab
                .currencies
                .iter()
                .map(|c| Scale { name: c.code.as_str().into(), step: Step::new(&c.step) })
                .collect(),
            currency_names: Names::new(vocab.currencies.iter().map(|c| c.code.as_str())),
            width: layout.width,
        }
    }
}

fn plan(place: &Place) -> Plan {
    let inner = place.ty.inner();
    let (kind, size) = match (&place.shape, inner) {
        (Shape::Entity(fields), Ty::Entity(id)) => {
            let fields: Box<[Plan]> = fields.iter().map(plan).collect();
            let size = 1 + fields.iter().map(|f| f.size).sum::<u32>();
            (Kind::Entity(id.0, fields), size)
        }
        (Shape::List(element), _) => (Kind::List(*element, matches!(inner, Ty::Set(_))), 1),
        _ => (scalar(inner), 1),
    };
    Plan { slot: place.slot, size, optional: place.ty.is_optional(), kind, limits: place.limits.clone() }
}

fn scalar(ty: &Ty) -> Kind {
    match ty {
        Ty::Bool => Kind::Bool,
        Ty::Int => Kind::Int,
        Ty::Dec => Kind::Dec,
        Ty::Text => Kind::Text,
        Ty::Date => Kind::Date,
        Ty::DateTime => Kind::DateTime,
        Ty::Period => Kind::Period,
        Ty::Duration => Kind::Duration,
        Ty::Money => Kind::Money,
        Ty::Unit(id) => Kind::Unit(id.0),
        Ty::Enum(id) => Kind::Enum(id.0),
        Ty::Node(id) => Kind::Node(id.0),
        Ty::Entity(_) | Ty::List(_) | Ty::Set(_) | Ty::Opt(_) | Ty::Rate(..) | Ty::Never => Kind::Never,
    }
}

fn call_plan(id: u32, def: &FactCallDef) -> CallPlan {
    let limits = def.bounds.as_ref().map(|b| Arc::new(Limits::new(&def.ty, b)));
    let tys = def.params.iter().map(|(_, ty)| (ty, None)).chain([(&def.ty, limits)]);
    let plans = tys
        .enumerate()
        .map(|(i, (ty, limits))| Plan {
            slot: i as u32,
            size: 1,
            optional: ty.is_optional(),
            kind: scalar(ty.inner()),
            limits,
        })
        .collect();
    CallPlan {
        fields: Names::new(def.params.iter().map(|(name, _)| name.as_str()).chain(["value"])),
        plans,
        params: def.params.iter().map(|(_, ty)| ty.clone()).collect(),
        rows: Plan { slot: 0, size: 0, optional: false, kind: Kind::CallRows(id), limits: None },
        row: Plan { slot: 0, size: 0, optional: false, kind: Kind::CallRow(id), limits: None },
    }
}
