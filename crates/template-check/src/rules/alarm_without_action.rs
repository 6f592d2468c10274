use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "alarm-without-action",
    happens: "the alarm changes colour in a console that nobody looks at",
    cure: "AlarmActions: [a topic that somebody reads]",
    source: "https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/AlarmThatSendsEmail.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for alarm in deployment.of("AWS::CloudWatch::Alarm") {
        let properties = &alarm.properties;
        // An action that a condition takes away is the deployer's choice; a composite alarm or a roll-back reads others.
        let written = ["AlarmActions", "OKActions", "InsufficientDataActions"]
            .iter()
            .any(|key| properties.entry(key).is_some());
        let composed = deployment.of("AWS::CloudWatch::CompositeAlarm").count() > 0;
        let read = || composed || deployment.is_mentioned(alarm, "AWS::CloudWatch::Dashboard");
        if !written && !read() && !properties.is_open() {
            report.add(alarm.place, alarm, "the alarm has no action");
        } else if let Some(enabled) = properties.get("ActionsEnabled")
            && enabled.boolean() == Some(false)
            && written
        {
            report.add(enabled.place, alarm, "the alarm's actions are switched off");
        }
    }
}
