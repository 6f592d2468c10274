//! What things cost: a file with its region, its date and the page of each price, which users replace with their own.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// The prices that come along.
const DEFAULT: &str = include_str!("../prices/us-east-1.json");

/// A price list.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Prices {
    /// The region that they hold in.
    pub region: String,
    /// The currency.
    pub currency: String,
    /// The day on which they were noted.
    pub date: String,
    /// What is to be known about them.
    #[serde(default)]
    pub note: String,
    prices: BTreeMap<String, Price>,
}

/// One price.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
struct Price {
    price: f64,
    #[serde(default)]
    unit: String,
    #[serde(default)]
    page: String,
}

/// Why a file is no price list.
#[derive(Debug, thiserror::Error)]
pub enum BadPrices {
    /// It is not JSON of this shape.
    #[error("not a price list")]
    Json(#[from] serde_json::Error),
    /// Prices are missing, negative or unknown.
    #[error("{0}")]
    Names(String),
}

impl Prices {
    /// The list that comes along.
    pub fn default_list() -> Result<Self, BadPrices> {
        Self::read(DEFAULT)
    }

    /// Its text, to be changed.
    pub fn default_text() -> &'static str {
        DEFAULT
    }

    /// Reads a list, which has every price that the default has.
    pub fn read(text: &str) -> Result<Self, BadPrices> {
        let prices: Self = serde_json::from_str(text)?;
        let known: Self = serde_json::from_str(DEFAULT)?;
        let missing = known
            .prices
            .keys()
            .filter(|key| !prices.prices.contains_key(*key));
        let unknown = prices
            .prices
            .keys()
            .filter(|key| !known.prices.contains_key(*key));
        let negative = prices
            .prices
            .iter()
            .filter(|(_, price)| price.price.is_sign_negative());
        let faults: Vec<String> = missing
            .map(|key| format!("`{key}` is missing"))
            .chain(unknown.map(|key| format!("`{key}` is no price of this list")))
            .chain(negative.map(|(key, _)| format!("`{key}` is negative")))
            .collect();
        match faults.is_empty() {
            true => Ok(prices),
            false => Err(BadPrices::Names(faults.join(", "))),
        }
    }

    /// A price and the page that it stands on. A list has every price that is asked for: [`Self::read`] sees to it.
    pub(crate) fn of(&self, key: &str) -> (f64, &str, &str) {
        debug_assert!(self.prices.contains_key(key), "no price {key}");
        self.prices.get(key).map_or((0.0, "", ""), |price| {
            (price.price, price.unit.as_str(), price.page.as_str())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_list_that_comes_along_is_one_and_each_price_has_its_page() {
        let prices = Prices::default_list().unwrap();
        assert!(!prices.note.is_empty());
        for (key, price) in &prices.prices {
            assert!(price.price > 0.0 && !price.unit.is_empty(), "{key}");
            assert!(price.page.starts_with("https://aws.amazon.com/"), "{key}");
        }
    }

    #[test]
    fn what_is_missing_or_too_much_is_named() {
        let text = DEFAULT.replace("kms_key", "kms_kee").replace("0.087", "-1");
        let bad = Prices::read(&text).unwrap_err().to_string();
        assert_eq!(
            bad,
            "`kms_key` is missing, `kms_kee` is no price of this list, `sagemaker_instance_hour` is negative"
        );
        assert_eq!(
            Prices::read("{}").unwrap_err().to_string(),
            "not a price list"
        );
    }
}
