import type {DenyCode} from '../schemas/verdict.ts';

type Entry = {status: number; type: string; retry: boolean; help: string};

/** Every way to say no. `retry` becomes `x-should-retry`: may the very same request work a little later? */
export const catalogue = {
	invalid_request: {status: 400, type: 'invalid_request_error', retry: false, help: 'Mend the request; the message names the field.'},
	invalid_json: {status: 400, type: 'invalid_request_error', retry: false, help: 'Send one JSON object in UTF-8, without duplicate keys.'},
	field_unsupported: {
		status: 400,
		type: 'invalid_request_error',
		retry: false,
		help: 'Leave the named field out, or ask a provider that knows it.',
	},
	dialect_mismatch: {status: 400, type: 'invalid_request_error', retry: false, help: 'Call this model in the API its provider speaks.'},
	bad_http: {
		status: 400,
		type: 'invalid_request_error',
		retry: false,
		help: 'Send well-formed HTTP/1.1 with one way of saying how long the body is.',
	},
	unauthenticated: {status: 401, type: 'authentication_error', retry: false, help: 'Send a virtual key: "Authorization: Bearer vk_…".'},
	key_expired: {status: 401, type: 'authentication_error', retry: false, help: 'Ask for a new key.'},
	key_blocked: {status: 403, type: 'permission_error', retry: false, help: 'Ask whoever issued the key.'},
	blocked: {
		status: 403,
		type: 'permission_error',
		retry: false,
		help: 'The tenant, team or user of this key is blocked; ask its operator.',
	},
	origin_not_allowed: {status: 403, type: 'permission_error', retry: false, help: 'Call from an address that this key is for.'},
	denied: {status: 403, type: 'permission_error', retry: false, help: 'A rule of your organisation refuses this request.'},
	model_not_granted: {status: 403, type: 'permission_error', retry: false, help: 'Ask for this model, or list yours with GET /v1/models.'},
	provider_not_granted: {status: 403, type: 'permission_error', retry: false, help: 'Ask for a model that a granted provider serves.'},
	operation_not_granted: {status: 403, type: 'permission_error', retry: false, help: 'This key is not for this kind of call.'},
	insufficient_scope: {
		status: 403,
		type: 'permission_error',
		retry: false,
		help: 'Ask for a token with the scopes that www-authenticate names.',
	},
	output_not_granted: {status: 403, type: 'permission_error', retry: false, help: 'Ask for fewer output tokens: max_tokens.'},
	content_blocked: {status: 400, type: 'invalid_request_error', retry: false, help: 'Take the refused content out.'},
	connect_required: {
		status: 403,
		type: 'permission_error',
		retry: false,
		help: 'Open the link in a browser, log in, and ask again.',
	},
	approval_required: {
		status: 403,
		type: 'permission_error',
		retry: true,
		help: 'Somebody has to approve this. Ask again for exactly the same: it runs once when it is approved.',
	},
	not_found: {status: 404, type: 'not_found_error', retry: false, help: 'Look at the path.'},
	model_not_found: {status: 404, type: 'not_found_error', retry: false, help: 'List the models you may call with GET /v1/models.'},
	method_not_allowed: {status: 405, type: 'invalid_request_error', retry: false, help: 'Look at the allow header.'},
	request_timeout: {status: 408, type: 'invalid_request_error', retry: true, help: 'Send the request faster.'},
	conflict: {status: 409, type: 'invalid_request_error', retry: false, help: 'Read the present state and try again.'},
	body_too_large: {status: 413, type: 'request_too_large', retry: false, help: 'Send less, or raise limits.bodyMb.'},
	unsupported_media_type: {
		status: 415,
		type: 'invalid_request_error',
		retry: false,
		help: 'Send content-type: application/json, not compressed.',
	},
	headers_too_large: {status: 431, type: 'invalid_request_error', retry: false, help: 'Send fewer or shorter headers.'},
	budget_exceeded: {status: 429, type: 'insufficient_quota', retry: false, help: 'Wait for the next window or ask for a larger budget.'},
	quota_exceeded: {status: 429, type: 'insufficient_quota', retry: false, help: 'Wait for the next window or ask for a larger quota.'},
	session_limit_exceeded: {status: 429, type: 'insufficient_quota', retry: false, help: 'Begin another session, or ask for a larger cap.'},
	rate_limited: {status: 429, type: 'rate_limit_error', retry: true, help: 'Wait as long as retry-after says.'},
	price_unknown: {status: 403, type: 'permission_error', retry: false, help: 'Give the model a price in gateway.config.ts: prices.'},
	plugin_failed: {status: 503, type: 'server_error', retry: true, help: 'Refused, because a plugin could not answer.'},
	journal_unavailable: {
		status: 503,
		type: 'server_error',
		retry: true,
		help: 'Nothing happens off the record, and the record cannot be written.',
	},
	store_unavailable: {status: 503, type: 'server_error', retry: true, help: 'The store cannot be reached.'},
	shutting_down: {status: 503, type: 'server_error', retry: true, help: 'This gateway is stopping; another try reaches its successor.'},
	upstream_unreachable: {status: 502, type: 'server_error', retry: true, help: 'No deployment of this model could be reached.'},
	upstream_failed: {status: 502, type: 'server_error', retry: true, help: 'Every deployment of this model failed.'},
	upstream_refused: {
		status: 502,
		type: 'server_error',
		retry: false,
		help: "The provider does not accept the gateway's own key; its operator has to mend that.",
	},
	upstream_rate_limited: {
		status: 429,
		type: 'rate_limit_error',
		retry: true,
		help: 'The provider is limiting; wait as long as retry-after says.',
	},
	upstream_timeout: {status: 504, type: 'server_error', retry: true, help: 'The provider took too long.'},
	upstream_malformed: {
		status: 502,
		type: 'server_error',
		retry: true,
		help: 'The provider answered with something that is not its own API.',
	},
	upstream_too_large: {status: 502, type: 'server_error', retry: false, help: 'The answer was larger than limits.replyMb.'},
	client_closed: {status: 499, type: 'invalid_request_error', retry: false, help: 'The client left before the answer.'},
	internal: {status: 500, type: 'server_error', retry: true, help: "The gateway's log has the details, under the exchange id."},
} as const satisfies Record<string, Entry> & Record<DenyCode, Entry>;

export type ErrorCode = keyof typeof catalogue;

type Facts = {
	cause?: unknown;
	plugin?: string;
	rule?: string;
	param?: string;
	retryAfterMs?: number;
	/** OAuth scopes that are missing. */
	scopes?: readonly string[];
	/** Where its user can mend it. */
	link?: string;
};

/** The one error this gateway throws on purpose. Its message goes to the client; its cause only to the log. */
export class GatewayError extends Error {
	readonly code: ErrorCode;
	readonly plugin?: string;
	readonly rule?: string;
	readonly param?: string;
	readonly retryAfterMs?: number;
	readonly scopes?: readonly string[];
	readonly link?: string;

	constructor(code: ErrorCode, message: string, {cause, plugin, rule, param, retryAfterMs, scopes, link}: Facts = {}) {
		super(message, cause === undefined ? undefined : {cause});
		this.name = 'GatewayError';
		this.code = code;
		this.plugin = plugin;
		this.rule = rule;
		this.param = param;
		this.retryAfterMs = retryAfterMs;
		this.scopes = scopes;
		this.link = link;
	}

	get status(): number {
		return catalogue[this.code].status;
	}

	get facts(): Entry {
		return catalogue[this.code];
	}
}

/** What we did not throw on purpose is `internal`, and its message stays in the log. */
export const asGatewayError = (thrown: unknown): GatewayError =>
	thrown instanceof GatewayError ? thrown : new GatewayError('internal', 'The gateway failed.', {cause: thrown});
