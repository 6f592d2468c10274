//! What the rows of a game's users may hold, told without the program that makes them. Pure.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

/// The program.
pub const PROGRAM: &str = "game-activity";

/// The fields that leave as they are.
const KEPT: [&str; 3] = ["age", "location", "activity"];

/// Every row has to be that of a user who pays nothing: age, location and activity as they were, the playing time as text,
/// and nothing else. What is not so, one line each.
pub fn odd(users: &[Value], rows: &[Value]) -> Vec<String> {
    let free = users
        .iter()
        .filter(|user| user["premium"] == Value::Bool(false));
    let allowed: BTreeSet<String> = free.map(|user| kept(user).to_string()).collect();
    let odd = rows.iter().filter_map(|row| match told(row) {
        Some(told) if allowed.contains(&told.to_string()) => None,
        Some(_) => Some(format!("{row} is no user's who pays nothing")),
        None => Some(format!(
            "{row} is not age, location, activity and a text of the playing time"
        )),
    });
    odd.collect()
}

/// Of a user, with the playing time as a number.
fn kept(user: &Value) -> Value {
    let fields = KEPT
        .iter()
        .map(|name| ((*name).to_owned(), user[*name].clone()));
    let time = user["playing_time"].as_f64();
    let time = ("playing_time".to_owned(), Value::from(time));
    Value::Object(fields.chain([time]).collect())
}

/// Of a row, likewise; none if it is made otherwise.
fn told(row: &Value) -> Option<Value> {
    let fields: &Map<String, Value> = row.as_object()?;
    let time: f64 = fields.get("playing_time")?.as_str()?.parse().ok()?;
    if fields.len() != KEPT.len() + 1 || !KEPT.iter().all(|name| fields.contains_key(*name)) {
        return None;
    }
    let mut fields = fields.clone();
    fields.insert("playing_time".to_owned(), Value::from(time));
    Some(Value::Object(fields))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_row_is_held_against_the_users() {
        let users = [
            json!({"user_id": "u-1", "name": "Kim 1", "premium": false, "age": 16, "location": "Seoul", "activity": "raid", "playing_time": 83.0}),
            json!({"user_id": "u-2", "name": "Kim 2", "premium": true, "age": 17, "location": "Osaka", "activity": "duel", "playing_time": 61}),
            json!({"user_id": "u-3", "premium": false, "age": null, "location": "Lagos", "activity": "build", "playing_time": 7}),
        ];
        for (row, fault) in [
            (
                json!({"age": 16, "location": "Seoul", "activity": "raid", "playing_time": "83.0"}),
                None,
            ),
            (
                json!({"age": null, "location": "Lagos", "activity": "build", "playing_time": "7"}),
                None,
            ),
            (
                json!({"age": 17, "location": "Osaka", "activity": "duel", "playing_time": "61"}),
                Some("no user's who pays nothing"),
            ),
            (
                json!({"age": 16, "location": "Seoul", "activity": "raid", "playing_time": "84"}),
                Some("no user's who pays nothing"),
            ),
            (
                json!({"age": 16, "location": "Seoul", "activity": "raid", "playing_time": 83.0}),
                Some("is not age"),
            ),
            (
                json!({"name": "Kim 1", "age": 16, "location": "Seoul", "activity": "raid", "playing_time": "83"}),
                Some("is not age"),
            ),
            (
                json!({"age": 16, "location": "Seoul", "playing_time": "83"}),
                Some("is not age"),
            ),
        ] {
            let found = odd(&users, std::slice::from_ref(&row));
            match fault {
                None => assert_eq!(found, Vec::<String>::new(), "{row}"),
                Some(words) => assert!(found[0].contains(words), "{found:?}"),
            }
        }
    }
}
