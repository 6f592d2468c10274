//! One reading through one chart, judged: nanoseconds per sample by kind and tests.
//!
//! `cargo bench -p control-chart`

#![expect(
    clippy::expect_used,
    reason = "a benchmark that cannot run has to say why"
)]

use std::hint::black_box;

use control_chart::{
    Baseline, Chart, ChartKind, ChartState, EwmaLimits, Observed, Sample, Subgroups, Tests,
};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};

criterion_group!(benches, charts);
criterion_main!(benches);

const SAMPLES: usize = 4_096;

fn charts(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("chart");
    group.throughput(Throughput::Elements(SAMPLES as u64));
    let values: Vec<Sample> = normals().map(|z| Sample::Value(40.0 + 10.0 * z)).collect();
    let counts: Vec<Sample> = normals()
        .enumerate()
        .map(|(n, z)| {
            let size = 150.0 + (n % 100) as f64;
            let count = (0.2 * size + 5.0 * z).round().clamp(0.0, size);
            Sample::Counted { count, size }
        })
        .collect();
    let given = Baseline::Given {
        center: 40.0,
        sigma: 10.0,
    };
    let ewma = ChartKind::Ewma {
        lambda: 0.2,
        width: 2.7,
        limits: EwmaLimits::TimeVarying,
    };
    let cusum = ChartKind::Cusum {
        k: 0.5,
        h: 5.0,
        head_start: 0.0,
    };
    let xbar_r = ChartKind::XbarR(Subgroups::Of(5));
    let x = ChartKind::Individuals;
    let p = ChartKind::P;
    let share = Baseline::GivenCenter(0.2);
    for (name, kind, baseline, tests, samples) in [
        ("individuals, limits", x, given, Tests::limits(x), &values),
        (
            "individuals, western-electric",
            x,
            given,
            Tests::western_electric(x),
            &values,
        ),
        ("individuals, nelson", x, given, Tests::nelson(x), &values),
        (
            "xbar-r of 5, limits",
            xbar_r,
            given,
            Tests::limits(xbar_r),
            &values,
        ),
        ("ewma, limits", ewma, given, Tests::limits(ewma), &values),
        ("cusum, limits", cusum, given, Tests::limits(cusum), &values),
        (
            "p of varying size, limits",
            p,
            share,
            Tests::limits(p),
            &counts,
        ),
        (
            "p of varying size, nelson",
            p,
            share,
            Tests::nelson(p),
            &counts,
        ),
        (
            "individuals, learning",
            x,
            Baseline::Learned { points: 100_000 },
            Tests::limits(x),
            &values,
        ),
    ] {
        let chart = Chart::new(kind, baseline, tests).expect("a chart");
        group.bench_function(name, |bencher| {
            bencher.iter(|| {
                let mut state = ChartState::default();
                let mut fired = 0_usize;
                for sample in black_box(samples) {
                    if let Observed::Point(point) = chart.observe(&mut state, *sample) {
                        fired += usize::from(!point.fired.is_empty());
                    }
                }
                fired
            });
        });
    }
    group.finish();
}

/// Nearly normal: sums of twelve uniform numbers.
fn normals() -> impl Iterator<Item = f64> {
    let mut random = fastrand::Rng::with_seed(17);
    (0..SAMPLES).map(move |_| (0..12).map(|_| random.f64()).sum::<f64>() - 6.0)
}
