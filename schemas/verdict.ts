import * as z from 'zod';
import {principal, scope} from './principal.ts';

/** The codes a plugin may refuse with; `core/errors.ts` gives each its status, type and help. */
export const denyCode = z.enum([
	'unauthenticated',
	'key_expired',
	'key_blocked',
	'blocked',
	'origin_not_allowed',
	'denied',
	'model_not_granted',
	'provider_not_granted',
	'operation_not_granted',
	'insufficient_scope',
	'output_not_granted',
	'content_blocked',
	'budget_exceeded',
	'quota_exceeded',
	'session_limit_exceeded',
	'rate_limited',
	'price_unknown',
	'invalid_request',
]);
export type DenyCode = z.output<typeof denyCode>;

/** `slots` are held while an exchange runs, and cost nothing in the end: concurrency. They go with the window `now`, and with no other. */
export const unit = z.enum(['microUsd', 'tokens', 'inputTokens', 'outputTokens', 'requests', 'toolCalls', 'slots']);

/** `rolling:5m`: any five minutes, wherever they begin. */
export const window = z.union([
	z.enum(['second', 'minute', 'hour', 'day', 'week', 'month', 'quarter', 'total', 'now']),
	z.templateLiteral(['rolling:', z.string().regex(/^[1-9]\d{0,3}$/), z.enum(['s', 'm', 'h', 'd'])]),
]);

/** One account that must have room for `amount` within `limit` for its current window. */
export const reservation = z
	.strictObject({
		/** `team:acme/search`, `key:key_…`: any name; those of the shipped plugins begin with what they are of. */
		account: z.string().min(1).max(300),
		/** What is counted. `slots` are held while an exchange runs, and cost nothing in the end: concurrency. They go with the window `now`, and with no other. */
		unit: unit.default('microUsd'),
		/** The most that this exchange can use. */
		amount: z.int().min(0),
		/** `null`: counted, and never refused. */
		limit: z.int().min(0).nullable(),
		/** When it begins anew; `total` never does. `rolling:5m`: any five minutes, wherever they begin. */
		window,
		/** By whose clock days begin, as IANA calls it: `Europe/Berlin`. Left out, UTC. */
		timeZone: z.string().max(60).optional(),
		/** Never refuses: what is past its limit is told instead. */
		soft: z.literal(true).optional(),
		/** Shares of the limit, in percent, that are told once in each window when they are reached. */
		notifyAt: z.array(z.int().min(1).max(1_000)).max(10).optional(),
	})
	.refine(({unit, window}) => (unit === 'slots') === (window === 'now'), {
		error: 'slots are held now: the unit slots and the window now go together',
	});
export type Reservation = z.output<typeof reservation>;

/** Where a text came from, which counts as much as what it says: what a tool answers must not give orders. */
export const channel = z.enum(['user', 'system', 'assistant', 'tool-result', 'tool-description', 'tool-arguments']);
export type Channel = z.output<typeof channel>;

/** What is done about a finding. `flag` tells of it, and nothing else; `taint` has rules treat the exchange and its session otherwise from then on. */
export const findingAction = z.enum(['flag', 'mask', 'strip', 'deny', 'hold', 'degrade', 'taint']);

/** A short name in lower case, of at most six digits: no room for a card, a phone number or a key. */
const shortName = z
	.string()
	.max(40)
	.regex(/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/)
	.refine(name => name.replace(/\D/g, '').length <= 6, {error: 'a name has at most six digits'});

/**
 * What a guard found, never the text itself: nothing here can hold content. The host adds a digest of what stands at `span`, by a secret of
 * this gateway's, so that the same value is known again and cannot be looked up.
 */
export const finding = z.strictObject({
	/** What found it: `email`, `aws-access-key`, `rules`. */
	detector: shortName,
	/** What it is: `personal-data`, `secret`, `injection`. */
	category: shortName,
	/** How bad it would be. */
	severity: z.enum(['low', 'medium', 'high', 'critical']),
	/** How sure the guard is: 1 is certain. */
	score: z.number().min(0).max(1),
	/** Where the text came from that it stands in. */
	channel,
	/** Where it stands: of a `window`, or of one text. */
	span: z
		.strictObject({
			/** Which one: the index in `text[]`; at on-tool-call, among the strings of the values of the arguments, in their order. Without it, the first. */
			text: z.int().min(0).max(1_000_000).optional(),
			/** In UTF-16 units. */
			start: z.int().min(0),
			/** Up to, and not including. */
			end: z.int().min(0),
		})
		.optional(),
	/**
	 * What this verdict does about it: `deny` and `hold` go with the verdict of that name, `mask` and `strip` with one that changes or ends
	 * something, `taint` with any. A taint goes by the name of the category.
	 */
	action: findingAction,
});
export type Finding = z.output<typeof finding>;

/** What the guards before have found in this exchange, as plugins are told: each kind once, with the highest score. Never what it was, nor where. */
export const foundBefore = finding.omit({span: true}).extend({
	/** Who found it. */
	plugin: z.string(),
	/** Where it was asked. */
	hook: z.string(),
});
export type FoundBefore = z.output<typeof foundBefore>;

const scalar = z.union([z.string().max(2_000), z.number(), z.boolean()]);

/** What a verdict asks the host to do, all or nothing, in the same turn. */
export const effects = {
	/** Every account must have room, or none is touched and the exchange is refused with `orElse`. */
	reserve: z.array(reservation).max(32).optional(),
	/** The code of the refusal where an account is short: `budget_exceeded`, if it is left out. */
	orElse: denyCode.optional(),
	/** The real amount, by unit, that replaces every open reservation this plugin made for this exchange. */
	settle: z.partialRecord(unit, z.int().min(0)).optional(),
	/** Facts for the journal record. Never put content here. */
	annotate: z.record(z.string().max(100), scalar).optional(),
	/** Tags of this exchange from now on, beside those that it has. */
	tag: z.array(z.string().max(200)).max(20).optional(),
	/** What a guard found: for the journal, the metrics and, where it acted, the header `x-sallyport-guards`; in observe mode too. */
	findings: z.array(finding).max(64).optional(),
	/** Writes into the plugin's own kv; `null` deletes. */
	put: z.record(z.string().max(500), z.json()).optional(),
	/**
	 * What one exchange among all processes gets, and no other. Where somebody has had it, nothing of the verdict is carried out, and the plugin
	 * is asked once more, with `lostClaim`. Of `pre-request` and `on-tool-call`.
	 */
	claim: z
		.strictObject({
			/** What stands before a slash is what the client and the record call it. */
			name: z.string().min(1).max(200),
			/** Nobody else gets it before then, in milliseconds since 1970. */
			until: z.int().min(0),
		})
		.optional(),
	/** Private state of this exchange, handed back to this plugin alone as `carried`. It is never stored. */
	carry: z.string().max(1_000_000).optional(),
};

export const allow = z.strictObject({verdict: z.literal('allow'), ...effects});

export const deny = z.strictObject({
	verdict: z.literal('deny'),
	/** What kind of refusal it is: docs/errors.md. */
	code: denyCode.default('denied'),
	/** For the client: what was wrong and what to do. No secret, no content, no list of what would be allowed. */
	message: z.string().min(1).max(1_000),
	/** Which rule decided, for the client's operator and the journal. */
	rule: z.string().max(200).optional(),
	/** With `insufficient_scope`: the OAuth scopes that the token would need. The client is told, and may ask its user for them. */
	scopes: z.array(scope).max(20).optional(),
	/** When it may work: the client gets `retry-after`. */
	retryAfterMs: z.int().min(0).optional(),
	...effects,
});

export const identify = z.strictObject({
	verdict: z.literal('identify'),
	/** Who is asking. */
	principal,
});

/** New strings for `text[]` by index; everything not named stays as it is. */
const textPatch = z.partialRecord(z.string().regex(/^\d{1,6}$/), z.string());

export const rewriteRequest = z.strictObject({
	verdict: z.literal('rewrite'),
	/** What changes. */
	patch: z.strictObject({
		text: textPatch.optional(),
		/** Another model in its place, as a client would name it; not over MCP. */
		model: z.string().min(1).max(300).optional(),
		/** Top-level request fields; `null` removes one. */
		params: z.record(z.string(), z.json()).optional(),
	}),
	...effects,
});

export const respond = z.strictObject({
	verdict: z.literal('respond'),
	/** What the client gets, and nobody else is asked. One of the two. */
	response: z.union([
		z.strictObject({
			/** Words, in the client's dialect, streamed if it asked for a stream; over MCP the result of a tool. */
			text: z.string(),
		}),
		z.strictObject({
			/** A whole body, as it is; over MCP the whole result. */
			body: z.record(z.string(), z.json()),
		}),
	]),
	...effects,
});

/** Other deployments to try. */
export const route = z.strictObject({
	verdict: z.literal('route'),
	/** `provider/model`, best first; each has to be configured. */
	plan: z.array(z.string().min(3).max(300)).min(1).max(20),
	...effects,
});

export const hold = z.strictObject({
	verdict: z.literal('hold'),
	/** What is waited for, and how. */
	approval: z.strictObject({
		/** For the client: what is waited for. */
		reason: z.string().min(1).max(1_000),
		/** What the client, the record and whoever decides call it. */
		id: z
			.string()
			.regex(/^[\w.-]{1,100}$/)
			.optional(),
		/** The plugin is asked again when a key of its kv that begins so has changed; when any has, if it is left out. */
		waitsFor: z.string().max(500).optional(),
		/** How long the client is kept waiting before it is told to come again. */
		holdMs: z.int().min(0).max(3_600_000).default(50_000),
	}),
	/** Which rule asks for it. */
	rule: z.string().max(200).optional(),
	...effects,
});

export const rewriteArguments = z.strictObject({
	verdict: z.literal('rewrite'),
	/** What changes. */
	patch: z.strictObject({
		/** All arguments of the call, as it is to be made. */
		arguments: z.record(z.string(), z.json()),
	}),
	...effects,
});

export const respondResult = z.strictObject({
	verdict: z.literal('respond'),
	/** What the caller gets in the place of an answer. */
	response: z.strictObject({
		/** The result of the call as MCP has it, or a text. Over MCP alone. */
		result: z.json(),
	}),
	...effects,
});

export const allowReply = z.strictObject({
	verdict: z.literal('allow'),
	/** Of a `window`: how many of its leading characters (UTF-16 units) may go on, or are replaced; left out, all but the last `window.overlap` of the manifest. */
	clear: z.int().min(0).optional(),
	...effects,
});

export const rewriteReply = z.strictObject({
	verdict: z.literal('rewrite'),
	/** What changes. */
	patch: z.strictObject({
		text: textPatch.optional(),
		/** What goes out in the place of the first `clear` characters of `window`. */
		window: z.string().optional(),
		/** `result` as it is to be; of a list, what is left out is gone, and nothing can be added. */
		result: z.json().optional(),
	}),
	/** Of a `window`: how many of its leading characters (UTF-16 units) may go on, or are replaced; left out, all but the last `window.overlap` of the manifest. */
	clear: z.int().min(0).optional(),
	...effects,
});

export const redact = z.strictObject({
	verdict: z.literal('redact'),
	/** Record fields, as dotted paths, that the journal must not keep. */
	paths: z.array(z.string().max(200)).max(50),
});

export type Effects = z.output<z.ZodObject<typeof effects>>;
export type Allow = z.output<typeof allow>;
export type Deny = z.output<typeof deny>;
