//! What a private call is charged: a class of gas, not the gas itself (M-19).
//!
//! How much gas a call uses hangs on the way that it takes through its contract, and so on secrets. Everybody sees what it is
//! charged. So a message in our own form is charged the least of these classes that holds what it used:
//!
//! ```text
//! 50,000  75,000  100,000  150,000  200,000  300,000  400,000  600,000  800,000  1,200,000  1,600,000  2,400,000 …
//! ```
//!
//! that is 50,000 · 2ᵏ and one and a half times as much, for each k. A call pays at most half as much again as it used, and at
//! least the smallest class. Gas is in the SDK's units.

/// The smallest class: more than finding and starting a small contract costs.
pub const SMALLEST: u64 = 50_000;

/// The least class that holds `used`.
pub const fn class(used: u64) -> u64 {
    let mut class = SMALLEST;
    while class < used {
        let between = class.saturating_add(class / 2);
        if used <= between {
            return between;
        }
        class = class.saturating_mul(2);
    }
    class
}

/// The class after the least one that holds `used`: room for a state that changed meanwhile.
pub const fn roomy(used: u64) -> u64 {
    class(class(used).saturating_add(1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits;

    #[test]
    fn v19_classes_are_those_of_the_table() {
        let mut classes = vec![class(0)];
        while classes.len() < 12 {
            classes.push(class(classes[classes.len() - 1] + 1));
        }
        let table = [50, 75, 100, 150, 200, 300, 400, 600, 800, 1_200, 1_600, 2_400].map(|thousand| thousand * 1_000);
        assert_eq!(classes, table);
        for (below, class_above) in table.iter().zip(&table[1..]) {
            assert_eq!((class(*below), class(*below + 1)), (*below, *class_above));
            assert_eq!(roomy(*below), *class_above);
            assert!(*class_above * 2 <= *below * 3, "nobody pays for more than half as much again");
        }
    }

    #[test]
    fn every_number_has_a_class_that_holds_it() {
        for used in [0, 1, u64::MAX / 3, u64::MAX / 2 + 1, u64::MAX - 1, u64::MAX] {
            assert!(class(used) >= used && roomy(used) >= class(used));
        }
        assert_eq!(class(limits::QUERY_ESTIMATE_GAS), limits::QUERY_ESTIMATE_GAS, "the most that an estimate says");
    }
}
