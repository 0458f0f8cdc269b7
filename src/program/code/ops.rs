//! Comparisons, and functions that run out of line.

/// A comparison as the set of orderings that it accepts: 1 less, 2 equal, 4 greater.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cmp(pub u8);

impl Cmp {
    pub const LT: Cmp = Cmp(1);
    pub const EQ: Cmp = Cmp(2);
    pub const LE: Cmp = Cmp(3);
    pub const GT: Cmp = Cmp(4);
    pub const NE: Cmp = Cmp(5);
    pub const GE: Cmp = Cmp(6);

    /// The comparison that holds where this one does not.
    pub fn inverse(self) -> Cmp {
        Cmp(self.0 ^ 7)
    }
    /// Whether it holds. Without branches, because the kinds of comparison alternate in a program.
    #[inline(always)]
    pub fn test(self, a: i64, b: i64) -> bool {
        let ordering = u8::from(a >= b) + u8::from(a > b);
        self.0 >> ordering & 1 != 0
    }
    /// Whether it accepts an ordering.
    pub fn accepts(self, ordering: std::cmp::Ordering) -> bool {
        let bit = match ordering {
            std::cmp::Ordering::Less => 0,
            std::cmp::Ordering::Equal => 1,
            std::cmp::Ordering::Greater => 2,
        };
        self.0 >> bit & 1 != 0
    }
    /// As it is written.
    pub fn sign(self) -> &'static str {
        match self.0 {
            1 => "<",
            2 => "=",
            3 => "<=",
            4 => ">",
            5 => "!=",
            _ => ">=",
        }
    }
}

/// Functions of dates and the like: `dst = f(a, b)`, run out of line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fun {
    DateAdd,
    DateSub,
    DateTimeAdd,
    DateTimeSub,
    DateTimeAddDuration,
    DateTimeSubDuration,
    PeriodAdd,
    PeriodSub,
    PeriodMul,
    PeriodNeg,
    /// Checks that two periods are both days or both months; gives the first.
    SamePeriods,
    /// The number of days of a period of days.
    PeriodDays,
    DaysBetween,
    MonthsBetween,
    YearsBetween,
    HoursBetween,
    Year,
    Month,
    Day,
    Weekday,
    StartOfDay,
    StartOfWeek,
    StartOfMonth,
    StartOfQuarter,
    StartOfYear,
    EndOfDay,
    EndOfWeek,
    EndOfMonth,
    EndOfQuarter,
    EndOfYear,
    DateOf,
    NextWorkday,
    IsWorkday,
    Anniversary,
}
