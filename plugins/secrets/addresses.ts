import type {Found} from './found.ts';

const hooks: ReadonlyArray<readonly [host: string, kind: string]> = [
	['hooks.slack.com/', 'slack-webhook'],
	['chat.googleapis.com/v1/spaces/', 'google-chat-webhook'],
	['discord.com/api/webhooks/', 'discord-webhook'],
	['discordapp.com/api/webhooks/', 'discord-webhook'],
	['.webhook.office.com/webhookb2/', 'teams-webhook'],
	['hooks.zapier.com/hooks/catch/', 'zapier-webhook'],
];

const databases =
	/^(?:postgres(?:ql)?|mysql2?|mariadb|mongodb(?:\+srv)?|rediss?|amqps?|mssql|sqlserver|clickhouse|cassandra|couchdb|s?ftp|ldaps?|smtps?|[a-z]+\+[a-z0-9]+)$/;

/** What manuals write where a password would stand. */
const specimen = /^(?:password|passwd|pass|pwd|secret|token|user|x-access-token|x-oauth-basic|\*+|x+|\.+|\$.*|%.*|:.*|)$/i;

const schemeStart = (token: string, mark: number): number => {
	let start = mark;
	while (start > 0 && mark - start < 24 && /[\w+.-]/.test(token.charAt(start - 1))) start--;
	return start;
};

const hookOf = (token: string, from: number): string | undefined => {
	for (const [host, kind] of hooks) {
		const at = token.indexOf(host, from);
		if (at !== -1 && at - from < 60 && token.length - at - host.length >= 20) return kind;
	}
};

/** An address that opens something: a webhook, or one with a user and a password in it. `token` begins at `start` of the text. */
export const matchAddress = (token: string, start: number): Found | undefined => {
	const mark = token.indexOf('://');
	if (mark === -1) {
		const kind = hookOf(token, 0);
		return kind !== undefined && token.startsWith('hooks.') ? {start, end: start + token.length, category: 'webhook', kind} : undefined;
	}
	const from = mark + 3;
	const first = schemeStart(token, mark);
	const end = start + token.length - (/[.:!?]$/.test(token) ? 1 : 0);
	const hook = hookOf(token, from);
	if (hook !== undefined) return {start: start + first, end, category: 'webhook', kind: hook};
	const slash = token.indexOf('/', from);
	const at = token.lastIndexOf('@', slash === -1 ? token.length : slash);
	const colon = token.indexOf(':', from);
	if (at <= from || colon === -1 || colon >= at) return;
	const password = token.slice(colon + 1, at);
	if (specimen.test(password) || password.length < 3) return;
	if (databases.test(token.slice(first, mark).toLowerCase())) {
		return {start: start + first, end, category: 'connection-string', kind: 'database-url'};
	}
	return {start: start + from, end: start + at, category: 'connection-string', kind: 'url-credentials'};
};
