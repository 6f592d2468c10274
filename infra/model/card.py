"""The model card: data, choice and figures, as Markdown."""

import numpy as np


def write_card(path, **k):
    path.write_text(card(**k), encoding="utf-8")


def card(*, features, horizon, cycle_s, seed, machines, parts, sizes, failures, candidates, chosen, coefficients,
         model, singles, rules, base_rate, brier, calibration, limits, thresholds, test_alarms, shift_alarms, shift, bytes):
    fit, choose, total = machines
    until, last = parts
    best_single = max(singles, key=lambda name: singles[name]["pr"])
    best_rules = max(rules, key=lambda name: rules[name]["pr"])
    shift_seed, shift_machines, shift_parts = shift
    return f"""# Model card: bearing-wear

Written by `train.py`, its text by `card.py`; change those, not this.

**What it says.** The probability that a press's bearing seizes within the press's next {horizon} readings ({horizon * cycle_s // 60} minutes, at a
part every {cycle_s} seconds), from one reading alone. The model is a {chosen}, {bytes} bytes of ONNX.

**What it is for.** The worked example of a model behind the pipeline. Its data is simulated: it knows the wear of
`andon simulate --scenario wear` (Gebraeel et al. 2005) on the line model of AI4I 2020, and nothing of anybody's presses.

**What goes in.** {len(features)} numbers, in this order: {', '.join(f'`{name}`' for name in features)}. The section
`model` of [the press line's plan](../plans/press-line.yaml) makes them, for training (`andon plan features`) as for service.

**What comes out.** Two probabilities, of *sound* and of *fails within {horizon} readings*. They add up to 1.

## Data

`andon simulate --scenario wear --seed {seed} --machines {total} --readings {total * last}`: {total} presses with {last} parts each,
{failures} failures. Split by press and by time, so that neither a press nor an hour is on both sides; what happens within
{horizon} readings of the end of a part of the data is unknown there and left out.

| | presses | parts | readings | fail within {horizon} readings |
| --- | --- | --- | ---: | ---: |
| fitted on | {fit.start + 1} to {fit.stop} | 1 to {until - horizon} | {sizes['fit'][0]} | {percent(sizes['fit'][1])} |
| model and thresholds chosen on | {choose.start + 1} to {choose.stop} | 1 to {until - horizon} | {sizes['choose'][0]} | {percent(sizes['choose'][1])} |
| tested on | {choose.stop + 1} to {total} | {until + 1} to {last - horizon} | {sizes['test'][0]} | {percent(sizes['test'][1])} |

## Choice of the model

Area under the precision-recall curve on the data to choose on; the simplest within 0.005 of the best is taken.

| candidate | PR AUC |
| --- | ---: |
{rows((f'**{name}**' if name == chosen else name, f'{value:.3f}') for name, value in candidates.items())}

{weights(coefficients)}## How well it tells

On the test set. By chance, PR AUC is {base_rate:.3f} and ROC AUC 0.5.

| | PR AUC | ROC AUC |
| --- | ---: | ---: |
| **the model** | **{model['pr']:.3f}** | **{model['roc']:.3f}** |
{rows((f'a threshold on `{name}` alone', f"{both['pr']:.3f}", f"{both['roc']:.3f}") for name, both in sorted(singles.items(), key=lambda item: -item[1]['pr']))}
{rows((f"the press line's plan: {name}", f"{both['pr']:.3f}", f"{both['roc']:.3f}") for name, both in rules.items())}

The best single value (`{best_single}`) reaches {singles[best_single]['pr']:.3f}, the rules of the plan that tell anybody ({best_rules}) {rules[best_rules]['pr']:.3f}: they
watch for other things. `heat` and `load` are made for this; of what the plan measures, `{best_measured(singles)}` does best.

## Calibration

Brier score {brier[0]:.4f}; {brier[1]:.4f} for the base rate throughout.

| score | readings | mean score | failed |
| --- | ---: | ---: | ---: |
{rows((f'{low:.1f} to {low + 0.1:.1f}', count, f'{mean:.3f}', f'{share:.3f}') for low, count, mean, share in calibration)}

## Thresholds

An alarm is a flagged reading of a press that raised none for the alerter's cool-down (300 seconds). It is false where the
press does not fail within {horizon} readings, even if it does soon after. The lowest threshold was taken that, on the data to
choose on, gives at most so many false alarms in a shift of eight hours on eight presses: {limits['notify']:g} for `notify`, {limits['stop-line']:g} for `stop-line`.

| reaction | threshold | failures told in time | median lead | false alarms a shift | … of presses that fail within {2 * horizon} |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows(alarm_row(name, thresholds[name], alarms, cycle_s) for name, alarms in test_alarms.items())}

The lead is the time from the first alarm within the {horizon} readings to the failure. On the test set; on another shift that
nothing was fitted or chosen on (`andon simulate --scenario wear`, seed {shift_seed}, {shift_machines} presses, {shift_parts} parts each):

| reaction | threshold | failures told in time | median lead | false alarms a shift | … of presses that fail within {2 * horizon} |
| --- | ---: | ---: | ---: | ---: | ---: |
{rows(alarm_row(name, thresholds[name], alarms, cycle_s) for name, alarms in shift_alarms.items())}

## Limits

- It looks at one reading at a time. Means over several would tell more, and need a memory that the caller of a model does
  not have.
- False alarms differ much from press to press: {limits['notify']:g} a shift were allowed for `notify` on the data to choose on, and the test set
  had {test_alarms['notify'].false_per_shift():.1f}. Most are of presses that fail within {2 * horizon} readings: early rather than wrong.
- It was fitted on presses at one cycle time and without sensor faults. A torque sensor that shows too little looks like friction: the
  plan's own rules tell of drift.
- Who changes the drive, the line model or the plan's formulas trains it anew: `train.py` takes two minutes.
"""


def percent(share):
    return f"{100 * share:.1f} %"


def rows(lines):
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)


def best_measured(singles):
    return max((name for name in singles if name not in ("load", "heat", "power")), key=lambda name: singles[name]["pr"])


def weights(coefficients):
    if not coefficients:
        return ""
    listed = ", ".join(f"`{name}` {value:+.2f}" for name, value in sorted(coefficients.items(), key=lambda item: -abs(item[1])))
    return f"What a standard deviation of each feature adds to the log-odds: {listed}.\n\n"


def alarm_row(reaction, threshold, alarms, cycle_s):
    failures = len(alarms.leads) + alarms.missed
    lead = f"{np.median(alarms.leads) * cycle_s / 60:.0f} min" if alarms.leads else "-"
    soon = alarms.false_per_shift() * alarms.soon / alarms.false if alarms.false else 0.0
    return (f"`{reaction}`", f"{threshold:.2f}", f"{len(alarms.leads)} of {failures}", lead, f"{alarms.false_per_shift():.1f}", f"{soon:.1f}")
