"""The channels that are configured, and how bad a thing must be to go there."""

from monitor.agent.choices import reveal_secret
from monitor.config.settings import Settings, SlackSettings
from monitor.sinks.alertmanager import Alertmanager
from monitor.sinks.apprise import Apprise
from monitor.sinks.channel import Channel
from monitor.sinks.outbox import Route
from monitor.sinks.slack import Slack
from monitor.sinks.slack_blocks import write_mention
from monitor.sinks.slack_bot import SlackBot
from monitor.sinks.webhook import Webhook
from monitor.sources.http import Client


def make_routes(settings: Settings, client: Client) -> list[Route]:
    """The channels that are configured.

    Raises:
        ConfigurationError: an address or a secret is none.
    """
    routes: list[Route] = []
    if settings.slack is not None:
        channel = make_slack(settings.slack, client)
        routes.append(Route(channel=channel, minimum=settings.slack.min_severity))
    for name, webhook in settings.webhooks.items():
        secrets = " ".join(secret.get_secret_value() for secret in webhook.signing_secrets)
        url = webhook.url.get_secret_value()
        hook = Webhook(f"webhook:{name}", url, secrets=secrets, client=client)
        routes.append(Route(channel=hook, minimum=webhook.min_severity))
    if (said := settings.alertmanager) is not None:
        url, token = said.url.get_secret_value(), reveal_secret(said.token)
        keeper = Alertmanager("alertmanager", url, token=token, client=client)
        routes.append(Route(channel=keeper, minimum=said.min_severity))
    for name, one in settings.apprise.items():
        sender = Apprise(f"apprise:{name}", one.url.get_secret_value())
        routes.append(Route(channel=sender, minimum=one.min_severity))
    return routes


def make_slack(slack: SlackSettings, client: Client) -> Channel:
    """Slack by a webhook, or by a bot.

    Raises:
        ConfigurationError: an address is none.
    """
    mention = write_mention(slack.mention) if slack.mention else ""
    if slack.webhook_url is not None:
        url = slack.webhook_url.get_secret_value()
        return Slack("slack", url, client=client, mention=mention)
    return SlackBot(
        "slack",
        token=reveal_secret(slack.bot_token) or "",
        channel=slack.channel or "",
        client=client,
        mention=mention,
        api=slack.api_url,
    )
