#!/usr/bin/env python3
"""Trains the model that tells of a press's bearing before it seizes, and writes what it is worth.

Usage: train.py [--andon COMMAND] [--plan FILE] [--work DIR]

Simulates the data with `andon simulate --scenario wear`, has the press line's plan make the features and its rules judge the
readings, fits, converts to ONNX, and writes beside this script:

  bearing-wear.onnx   the model: one row of features in, the probabilities of [sound, fails within the horizon] out
  sample.json         rows of the test set with the answers of scikit-learn, for whoever serves the model
  MODEL_CARD.md       the data, the choice, the figures
  figures.json        what a run of the later shift is held against (`andon local`)

The same versions give the same figures. Needs the packages of requirements.txt.
"""

import argparse
import copy
import csv
import json
import pathlib
import shlex
import subprocess
import tempfile

import numpy as np
import onnx
import onnxruntime
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from skl2onnx.helpers.onnx_helper import select_model_inputs_outputs

from card import write_card
from shift import COOL_DOWN, READINGS_PER_SHIFT, Alarms, horizon_labels

HERE = pathlib.Path(__file__).parent
PLAN = HERE.parent / "plans" / "press-line.yaml"

# The label: the machine fails within so many of its next readings (an hour, at a part every 36 seconds).
HORIZON = 100
CYCLE_S = 36
# Everything random: the data, and a later shift on another line that nothing was fitted or chosen on.
SEED, MACHINES, PARTS = 7, 64, 4_000
SHIFT_SEED, SHIFT_MACHINES, SHIFT_PARTS = 1, 8, 750
# Split by machine: to fit on, to choose thresholds on, to test on. And by time: the first two before this part, the test after.
FIT, CHOOSE = range(0, 24), range(24, 44)
UNTIL = 2_400
# How many alarms may be false in a shift of eight hours on a line of eight presses: an alert a press, one stop of the line.
ALERTS_PER_SHIFT, STOPS_PER_SHIFT = 8.0, 1.0

# What a single threshold is tried on: what is measured, and what the plan derives for its rules or for the model.
SINGLE = ["air_temperature", "process_temperature", "rotational_speed", "torque", "tool_wear", "power", "load", "heat"]


class Readings:
    """A simulated run as columns, in the order of its readings."""

    def __init__(self, andon, work, plan, seed, machines, parts):
        stem = pathlib.Path(work) / f"wear-{seed}"
        readings, truth = stem.with_suffix(".ndjson"), stem.with_suffix(".truth")
        run(andon, "simulate", "--scenario", "wear", "--seed", seed, "--machines", machines, "--readings", machines * parts,
            "--truth", truth, out=readings)
        events = run(andon, "plan", "backtest", "--plan", plan, "--readings", readings, "--json").splitlines()
        table = list(csv.reader(run(andon, "plan", "features", "--plan", plan, "--readings", readings).splitlines()))
        self.names = table[0][3:]
        self.rows = np.array([line[3:] for line in table[1:]], float)
        rows = [json.loads(line) for line in readings.read_text().splitlines()]
        assert len(rows) == len(self.rows), "readings without features"
        self.machine = np.array([int(row["machine"].rsplit("-", 1)[1]) - 1 for row in rows])
        self.part = np.arange(len(rows)) // machines + 1
        columns = {name: np.array([row["measurements"][name] for row in rows], float) for name in rows[0]["measurements"]}
        columns["power"] = columns["torque"] * columns["rotational_speed"] * 0.10471975511965977
        self.columns = {**dict(zip(self.names, self.rows.T)), **columns}
        self.failures = {machine: [] for machine in range(machines)}
        for line in truth.read_text().splitlines():
            failure = json.loads(line)
            self.failures[int(failure["machine"].rsplit("-", 1)[1]) - 1].append(failure["part"])
        self.left = horizon_labels(self.machine, self.part, self.failures)
        # How many rules that tell somebody fire at each reading.
        self.firing = np.zeros(len(rows))
        for event in map(json.loads, events):
            if event["reaction"] != "record" and event["transition"] in ("opened", "ongoing"):
                self.firing[event["source"]["line"] - 1] += 1

    def features(self, chosen=slice(None)):
        return self.rows[chosen]

    def labels(self, chosen=slice(None)):
        return (self.left[chosen] < HORIZON).astype(int)


def run(andon, *arguments, out=None):
    command = [*andon, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    if out is not None:
        out.write_text(done.stdout)
    return done.stdout


def candidates():
    """From simple to flexible; the simplest that is as good as the best is taken."""
    return {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(C=1.0, max_iter=1_000)),
        "neural network, 16 tanh units": make_pipeline(
            StandardScaler(), MLPClassifier((16,), activation="tanh", alpha=1e-3, max_iter=60, random_state=0)
        ),
        "gradient-boosted trees, depth 3": HistGradientBoostingClassifier(
            max_depth=3, max_iter=150, learning_rate=0.08, random_state=0
        ),
    }


def recent(values, machine, window):
    """The sum over the last `window` readings of the same machine."""
    total = np.zeros(len(values))
    for one in np.unique(machine):
        rows = machine == one
        sums = np.concatenate([np.zeros(window), np.cumsum(values[rows])])
        total[rows] = sums[window:] - sums[:-window]
    return total


def folded(model):
    """A logistic regression with its scaler's shift and scale in its weights: one operator, which every runtime has."""
    if isinstance(model, HistGradientBoostingClassifier):
        return model
    scaler, last = model
    if not isinstance(last, LogisticRegression):
        raise SystemExit("of the chosen model the scaler has to be folded into the first layer")
    plain = copy.deepcopy(last)
    plain.coef_ = last.coef_ / scaler.scale_
    plain.intercept_ = last.intercept_ - plain.coef_ @ scaler.mean_
    return plain


def convert(model, names):
    """To ONNX: the probabilities alone, for batches of any size."""
    model = folded(model)
    whole = to_onnx(
        model,
        initial_types=[("features", FloatTensorType([None, len(names)]))],
        options={id(model): {"zipmap": False}},
        target_opset={"": 18, "ai.onnx.ml": 3},
    )
    alone = select_model_inputs_outputs(whole, outputs=["probabilities"])
    shape = onnx.helper.make_tensor_value_info("probabilities", onnx.TensorProto.FLOAT, [None, 2])
    alone.graph.output[0].CopyFrom(shape)
    alone.graph.name, alone.doc_string = "bearing-wear", ", ".join(names)
    onnx.checker.check_model(alone)
    return alone.SerializeToString()


def ask(onnx_bytes, rows):
    session = onnxruntime.InferenceSession(onnx_bytes, providers=["CPUExecutionProvider"])
    return session.run(None, {"features": rows.astype(np.float32)})[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--andon", default="cargo andon", help="the command-line tool")
    parser.add_argument("--work", help="where simulated data is kept (default: a temporary directory)")
    parser.add_argument("--plan", default=PLAN, help="the control plan whose model this is")
    arguments = parser.parse_args()
    andon = shlex.split(arguments.andon)
    with tempfile.TemporaryDirectory() as temporary:
        work = arguments.work or temporary
        data = Readings(andon, work, arguments.plan, SEED, MACHINES, PARTS)
        shift = Readings(andon, work, arguments.plan, SHIFT_SEED, SHIFT_MACHINES, SHIFT_PARTS)

    # What happens within the horizon of a boundary is known on neither side of it.
    before = data.part <= UNTIL - HORIZON
    fit = before & np.isin(data.machine, FIT)
    choose = before & np.isin(data.machine, CHOOSE)
    test = (data.part > UNTIL) & (data.part <= PARTS - HORIZON) & (data.machine >= CHOOSE.stop)

    found = {}
    for name, candidate in candidates().items():
        candidate.fit(data.features(fit), data.labels(fit))
        scores = candidate.predict_proba(data.features(choose))[:, 1]
        found[name] = (candidate, average_precision_score(data.labels(choose), scores))
    best = max(precision for _, precision in found.values())
    chosen, (model, _) = next(item for item in found.items() if item[1][1] > best - 0.005)

    bytes_of_model = convert(model, data.names)
    scores = model.predict_proba(data.features())[:, 1]
    labels = data.labels(test)
    singles = {}
    for name in SINGLE:
        values = data.columns[name]
        side = 1 if roc_auc_score(data.labels(fit), values[fit]) >= 0.5 else -1
        singles[name] = judged(labels, side * values[test])
    rules = {
        f"rules firing within {window} reading{'s' if window > 1 else ''}": judged(
            labels, recent(data.firing, data.machine, window)[test]
        )
        for window in (1, 10, HORIZON)
    }

    def alarms(readings, scores, chosen, threshold):
        return Alarms(readings.machine[chosen], readings.part[chosen], scores[chosen] >= threshold, readings.failures, HORIZON)

    thresholds = {}
    grid = np.round(np.arange(0.05, 1.0, 0.01), 2)
    for reaction, most in (("notify", ALERTS_PER_SHIFT), ("stop-line", STOPS_PER_SHIFT)):
        fine = [float(t) for t in grid if alarms(data, scores, choose, t).false_per_shift() <= most]
        thresholds[reaction] = fine[0]

    shift_scores = model.predict_proba(shift.features())[:, 1]
    everything = np.ones(len(shift.part), bool)
    shift_alarms = {reaction: alarms(shift, shift_scores, everything, t) for reaction, t in thresholds.items()}
    write_card(
        HERE / "MODEL_CARD.md",
        features=data.names,
        horizon=HORIZON,
        cycle_s=CYCLE_S,
        seed=SEED,
        machines=(FIT, CHOOSE, MACHINES),
        parts=(UNTIL, PARTS),
        sizes={name: (int(rows.sum()), float(data.labels(rows).mean())) for name, rows in
               (("fit", fit), ("choose", choose), ("test", test))},
        failures=sum(map(len, data.failures.values())),
        candidates={name: precision for name, (_, precision) in found.items()},
        chosen=chosen,
        coefficients=coefficients(model, data.names),
        model=judged(labels, scores[test]),
        singles=singles,
        rules=rules,
        base_rate=float(labels.mean()),
        brier=(brier_score_loss(labels, scores[test]), float(labels.mean() * (1 - labels.mean()))),
        calibration=calibration(labels, scores[test]),
        limits={"notify": ALERTS_PER_SHIFT, "stop-line": STOPS_PER_SHIFT},
        thresholds=thresholds,
        test_alarms={reaction: alarms(data, scores, test, t) for reaction, t in thresholds.items()},
        shift_alarms=shift_alarms,
        shift=(SHIFT_SEED, SHIFT_MACHINES, SHIFT_PARTS),
        bytes=len(bytes_of_model),
    )

    (HERE / "bearing-wear.onnx").write_bytes(bytes_of_model)
    figures = {
        "model": "bearing-wear",
        "horizon": HORIZON,
        "cycle_s": CYCLE_S,
        "cool_down": COOL_DOWN,
        "readings_per_shift": READINGS_PER_SHIFT,
        "shift": {"seed": SHIFT_SEED, "machines": SHIFT_MACHINES, "parts": SHIFT_PARTS},
        "thresholds": [
            {"reaction": reaction, "score": threshold, "shift": figures_of(shift_alarms[reaction])}
            for reaction, threshold in thresholds.items()
        ],
    }
    (HERE / "figures.json").write_text(json.dumps(figures, indent=2) + "\n", encoding="utf-8")
    picked = np.flatnonzero(test)[:: max(1, int(test.sum()) // 100)][:100]
    # Rows near the end of a bearing are rare: half of the sample is theirs.
    worn = np.flatnonzero(test & (scores > 0.2))
    picked = np.concatenate([picked, worn[:: max(1, len(worn) // 100)][:100]])
    rows = data.features(picked)
    answers = model.predict_proba(rows)
    apart = np.abs(answers - ask(bytes_of_model, rows)).max()
    assert apart < 5e-6, f"ONNX Runtime answers {apart} beside scikit-learn"
    with open(HERE / "sample.json", "w", encoding="utf-8") as sample:
        lines = ",\n".join(
            f"    {json.dumps({'features': row, 'probabilities': answer})}"
            for row, answer in zip(rows.tolist(), answers.tolist())
        )
        sample.write(f'{{\n  "features": {json.dumps(data.names)},\n  "rows": [\n{lines}\n  ]\n}}\n')
    print(f"{chosen}: PR AUC {judged(labels, scores[test])['pr']:.3f}; {len(bytes_of_model)} bytes; ONNX Runtime within {apart:.1e}")


def figures_of(alarms):
    return {
        "failures": len(alarms.leads) + alarms.missed,
        "told": len(alarms.leads),
        "median_lead_parts": float(np.median(alarms.leads)) if alarms.leads else None,
        "false_alarms": alarms.false,
    }


def judged(labels, scores):
    return {"roc": roc_auc_score(labels, scores), "pr": average_precision_score(labels, scores)}


def calibration(labels, scores):
    """For each tenth of the score: readings, mean score, share that failed."""
    edges = np.linspace(0, 1, 11)
    bins = np.clip(np.digitize(scores, edges) - 1, 0, 9)
    return [
        (float(edges[at]), int((bins == at).sum()), float(scores[bins == at].mean()), float(labels[bins == at].mean()))
        for at in range(10)
        if (bins == at).any()
    ]


def coefficients(model, names):
    """Per standard deviation of the feature, where the model has such."""
    last = model[-1] if hasattr(model, "__getitem__") else model
    return dict(zip(names, last.coef_[0])) if hasattr(last, "coef_") else {}


if __name__ == "__main__":
    main()
