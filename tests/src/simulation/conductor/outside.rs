//! What happens outside the pipeline: producers put readings, operators push plans, reshard, and bring back what was parked.

use lambda_function::clock::Clock;

use super::Conductor;
use crate::simulation::bring_back::bring_back;
use crate::simulation::function::{QUALITY_STREAM, READINGS_STREAM};
use crate::simulation::reference::digest;
use crate::simulation::workload::What;

impl Conductor {
    /// What producers and operators do now.
    pub(super) fn take_steps(&mut self, now_ms: i64) {
        while let Some(step) = self.steps.next_if(|step| step.at_ms <= now_ms) {
            let world = &self.plant.world;
            match step.what {
                What::Put(put) => {
                    let record = world.put_record(READINGS_STREAM, &put.key, &*put.data);
                    let arn = &self.plant.readings_arn;
                    self.audit.put(arn, &record, &put.holds, put.is_aggregate);
                }
                What::Stray(key, bytes) => {
                    world.put_record(QUALITY_STREAM, &key, bytes);
                }
                What::Plan(text, passes) => {
                    let digest = passes.then(|| digest(&text));
                    self.audit.pushed.note(now_ms, digest.as_deref());
                    self.audit
                        .tell(now_ms, || "a control plan is pushed".to_owned());
                    self.plant.push_plan(&text);
                }
                What::Split(stream, nth) => self.split(stream, nth),
                What::Merge(stream, nth) => self.merge(stream, nth),
            }
        }
    }

    fn split(&mut self, stream: usize, nth: usize) {
        let name = [READINGS_STREAM, QUALITY_STREAM][stream];
        let shards = self.plant.world.shards(name);
        let open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
        let shard = &open[nth % open.len()].id;
        self.plant.world.split_shard(name, shard);
        self.resharded(stream, name);
    }

    fn merge(&mut self, stream: usize, nth: usize) {
        let name = [READINGS_STREAM, QUALITY_STREAM][stream];
        let shards = self.plant.world.shards(name);
        let mut open: Vec<_> = shards.iter().filter(|shard| shard.is_open()).collect();
        open.sort_by_key(|shard| shard.hash_keys);
        if open.len() < 2 {
            return;
        }
        let nth = nth % (open.len() - 1);
        let (one, other) = (&open[nth].id, &open[nth + 1].id);
        self.plant.world.merge_shards(name, one, other);
        self.resharded(stream, name);
    }

    fn resharded(&mut self, stream: usize, name: &str) {
        let now_ms = self.plant.clock.now_ms();
        self.audit.tell(now_ms, || format!("{name} is resharded"));
        self.streams[stream].note_closed(&self.plant.world, name);
        for line in &mut self.lines {
            if line.function.stream() == name {
                line.tell_of_shards(&self.plant);
            }
        }
    }

    /// Everything is well again: what was parked comes back.
    pub(super) async fn bring_back(&mut self) {
        self.plant.world.clear_faults();
        let now_ms = self.plant.clock.now_ms();
        match bring_back(&self.plant).await {
            Ok(0) => {}
            Ok(readings) => self
                .audit
                .tell(now_ms, || format!("{readings} readings are brought back")),
            Err(answer) => {
                let what = format!("bringing back ended with {answer}");
                self.audit.violation("what was parked comes back", what);
            }
        }
    }
}
