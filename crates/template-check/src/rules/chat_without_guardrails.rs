use super::prelude::*;

pub(crate) static RULE: Rule = Rule {
    id: "chat-without-guardrails",
    happens: "whoever is in the channel runs commands with AdministratorAccess as the only limit above the role's own",
    cure: "GuardrailPolicies: [arn:aws:iam::aws:policy/ReadOnlyAccess]",
    source: "https://docs.aws.amazon.com/chatbot/latest/adminguide/understanding-permissions.html",
    check: Check::Deployed(look),
};

fn look(deployment: &Deployment, report: &mut Report<'_>) {
    for channel in &deployment.resources {
        let is_channel = matches!(
            channel.kind.as_str(),
            "AWS::Chatbot::SlackChannelConfiguration"
                | "AWS::Chatbot::MicrosoftTeamsChannelConfiguration"
        );
        if let (true, Field::Missing(place)) =
            (is_channel, channel.properties.field("GuardrailPolicies"))
        {
            report.add(place, channel, "the channel has no guard-rails");
        }
    }
}
