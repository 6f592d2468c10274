//! No text makes the check panic, or run away.

use std::path::Path;

use proptest::prelude::*;
use template_check::check;

fn run(text: &str) {
    let read = |_: &Path| Ok(text.to_owned());
    // What it says does not matter here.
    let _ = check(Path::new("template.yaml"), &read, None);
}

/// Values that templates are made of, some of them in the wrong place.
fn value() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just("!Ref P".to_owned()),
        Just("!Ref AWS::NoValue".to_owned()),
        Just("!GetAtt R0.Arn".to_owned()),
        Just("!GetAtt R1.Outputs.O".to_owned()),
        Just("!Sub '${P}-${R0}-${R0.Arn}-${!x}-${'".to_owned()),
        Just("!ImportValue x".to_owned()),
        Just("!Condition C".to_owned()),
        Just("-1".to_owned()),
        Just("''".to_owned()),
        Just("true".to_owned()),
        "[a-z0-9:/*${}!.-]{0,8}".prop_map(|text| format!("'{text}'")),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        let list = prop::collection::vec(inner.clone(), 0..4);
        prop_oneof![
            list.clone()
                .prop_map(|items| format!("[{}]", items.join(", "))),
            list.clone()
                .prop_map(|items| format!("!If [C, {}]", items.join(", "))),
            list.clone()
                .prop_map(|items| format!("!Join ['', [{}]]", items.join(", "))),
            list.clone()
                .prop_map(|items| format!("!Select [0, [{}]]", items.join(", "))),
            list.clone()
                .prop_map(|items| format!("!FindInMap [{}]", items.join(", "))),
            list.prop_map(|items| format!("!Equals [{}]", items.join(", "))),
            (KEY, inner.clone()).prop_map(|(key, item)| format!("{{{key}: {item}}}")),
            (KEY, inner.clone(), KEY, inner)
                .prop_map(|(a, x, b, y)| format!("{{{a}: {x}, {b}: {y}}}")),
        ]
    })
}

const KEY: &str = "EventSourceArn|FunctionName|StartingPosition|Timeout|Role|OnFailure|Destination|Statement|Action|Policies|Ref|'Fn::GetAtt'|'Fn::Sub'|Condition|Events|Type|Properties|Name|Value|AlarmActions";
const KIND: &str = "AWS::Lambda::(Function|EventSourceMapping)|AWS::Kinesis::Stream|AWS::SQS::Queue|AWS::Serverless::Function|AWS::CloudFormation::Stack|AWS::CloudWatch::Alarm|AWS::KinesisFirehose::DeliveryStream|AWS::IAM::Role|AWS::KMS::Key";
const PROPERTY: &str = "EventSourceArn|FunctionName|DestinationConfig|Timeout|Role|Policies|ManagedPolicyArns|TemplateURL|Parameters|Events|Dimensions|MetricName|Namespace|KeyPolicy|Code|Environment|FunctionResponseTypes|AlarmActions|ExtendedS3DestinationConfiguration";

fn template() -> impl Strategy<Value = String> {
    let resource = (
        KIND,
        prop::collection::vec((PROPERTY, value()), 0..5),
        any::<bool>(),
    );
    (prop::collection::vec(resource, 1..5), value(), value()).prop_map(
        |(resources, condition, output)| {
            let mut text = format!(
                "Transform: AWS::Serverless-2016-10-31\nParameters:\n  P: {{Type: CommaDelimitedList, Default: 'a,b'}}\nConditions:\n  C: {condition}\n  D: !Not [!Condition D]\nOutputs:\n  O: {{Value: {output}}}\nResources:\n"
            );
            for (n, (kind, properties, conditional)) in resources.into_iter().enumerate() {
                text.push_str(&format!("  R{n}:\n    Type: {kind}\n"));
                if conditional {
                    text.push_str("    Condition: C\n");
                }
                text.push_str("    Properties:\n      Fixed: 1\n");
                for (key, value) in properties {
                    text.push_str(&format!("      {key}: {value}\n"));
                }
            }
            text
        },
    )
}

proptest! {
    #[test]
    fn on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        run(&String::from_utf8_lossy(&bytes));
    }

    #[test]
    fn on_any_text_of_yaml(text in "[ \n\t:{}\\[\\]!&*<>|'\"#,?A-Za-z0-9$%@`~-]{0,200}") {
        run(&format!("Resources:\n  {text}"));
    }

    #[test]
    fn on_whatever_stands_where_it_should_not(text in template()) {
        run(&text);
    }
}

#[test]
fn on_expressions_that_would_double_for_ever() {
    let mut parameters = String::from("Parameters:\n  P0: {Type: String, Default: xxxxxxxx}\n");
    let mut text = String::from("!Ref P0");
    for n in 0..60 {
        text = format!("!Sub ['${{a}}${{a}}', {{a: {text}}}]");
        parameters.push_str(&format!("  P{}: {{Type: String, Default: x}}\n", n + 1));
    }
    run(&format!(
        "{parameters}Resources:\n  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: {text}}}}}\n"
    ));
}

#[test]
fn on_a_chain_of_conditions_without_end() {
    let chain: String = (0..3_000)
        .rev()
        .map(|n| format!("  C{}: !Not [!Condition C{n}]\n", n + 1))
        .collect();
    run(&format!(
        "Conditions:\n{chain}Resources:\n  Q: {{Type: AWS::SQS::Queue, Condition: C2999}}\n"
    ));
}

/// Each of the parent's parameters for its child is an output of the child, which is the parameter before.
#[test]
fn on_a_chain_through_two_stacks() {
    let nested = |n: usize| "!If [Yes, ".repeat(n) + "!Ref P0" + &", x]".repeat(n);
    let mut passed = String::new();
    let mut parameters = String::new();
    let mut outputs = String::new();
    for n in 0..3_000 {
        parameters.push_str(&format!("  P{n}: {{Type: String, Default: x}}\n"));
        let deep = nested(40).replace("P0", &format!("P{n}"));
        outputs.push_str(&format!("  O{n}: {{Value: {deep}}}\n"));
        passed.push_str(&format!("        P{}: !GetAtt R.Outputs.O{n}\n", n + 1));
    }
    let conditions = "Conditions:\n  Yes: !Equals [a, a]\n";
    let child = format!(
        "Parameters:\n{parameters}  P3000: {{Type: String}}\n{conditions}Outputs:\n{outputs}Resources:\n  Q: {{Type: AWS::SQS::Queue, Properties: {{QueueName: !Ref P3000}}}}\n"
    );
    let parent = format!(
        "Resources:\n  R:\n    Type: AWS::CloudFormation::Stack\n    Properties:\n      TemplateURL: child.yaml\n      Parameters:\n{passed}"
    );
    let read = |path: &Path| {
        Ok(match path.ends_with("child.yaml") {
            true => child.clone(),
            false => parent.clone(),
        })
    };
    assert!(check(Path::new("template.yaml"), &read, None).is_ok());
}
