//! Rules that remember readings, after a gap: what was parked is not remembered, and nothing before it either.

use fake_aws::{Call, Service};
use quality_event::Transition;

use super::audit::Audit;
use super::judged::order_of;
use super::plans::is_in_vain;
use super::world::{Plant, SET_ASIDE_BUCKET};

/// How many readings rules of the plan need before they can open an episode.
const READINGS_NEEDED: [(&str, usize); 4] = [
    ("heat-dissipation", 3),
    // Learns from twenty.
    ("torque-drift", 21),
    ("stuck-torque", 6),
    ("missing-torque", 2),
];

/// How long an invocation may still be at work that something befell before.
const AT_WORK_MS: i64 = 65_000;

/// Whether notes may not have been read in time.
fn keeps_from_notes(call: &Call) -> bool {
    call.operation == "ListObjectsV2" && call.resource == SET_ASIDE_BUCKET && is_in_vain(call)
}

/// After the last parked reading, a rule opens no episode before it has seen as many readings as it needs. What was told
/// before the parking may have been judged without the gap, by an attempt that then came to nothing.
///
/// Asked of runs in which the evaluator was well from the first parking on: one that parks readings and cannot note it
/// judges them after all, and one that cannot read the notes in time goes on without; nothing tells these from the others.
pub fn check(audit: &mut Audit, plant: &Plant) {
    let calls = plant.world.calls();
    let parkings = calls.iter().filter(|call| {
        let is_put = call.service == Service::S3 && call.operation == "PutObject";
        let is_parked = |part: &fake_aws::Part| part.key.starts_with("parked/");
        is_put && call.resource == SET_ASIDE_BUCKET && call.parts.iter().any(is_parked)
    });
    let times_ms: Vec<_> = parkings.map(|call| call.at_ms).collect();
    let (Some(first_ms), Some(last_ms)) = (times_ms.iter().min(), times_ms.iter().max()) else {
        return;
    };
    if audit.reference.changes_plan
        || audit.has_holes()
        || !audit.deeds.evaluator_is_well_after(*first_ms - AT_WORK_MS)
        || calls
            .iter()
            .any(|call| call.at_ms >= *first_ms && keeps_from_notes(call))
    {
        return;
    }
    let mut wrong = Vec::new();
    for (machine, _) in audit.reference.machines() {
        let parked = audit.parked_orders(plant, machine);
        if parked.is_empty() || audit.reference.wanderers.contains(machine) {
            continue;
        }
        for event in audit.order.iter().flat_map(|id| &audit.events[id]) {
            let arrival = audit.arrivals.get(event.id.as_str());
            let is_opening = !event.late
                && event.transition() == Some(Transition::Opened)
                && arrival.is_some_and(|(_, at_ms)| at_ms > last_ms);
            let needed = READINGS_NEEDED
                .iter()
                .find(|(rule, _)| *rule == event.subject());
            let (true, Some((rule, needed))) = (is_opening && event.machine == machine, needed)
            else {
                continue;
            };
            let order = order_of(audit, event).filter(|order| !parked.contains(order));
            let gap = order.and_then(|order| parked.range(..order).next_back());
            if let (Some(order), Some(gap)) = (order, gap)
                && order - gap < *needed
            {
                let seen = order - gap;
                wrong.push(format!("{rule} of {machine} opens {seen} readings after"));
            }
        }
    }
    for what in wrong {
        audit.violation("rules begin anew after a gap", what);
    }
}
