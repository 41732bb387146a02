import * as z from 'zod';
import {usage} from './usage.ts';
import {channel, finding, unit} from './verdict.ts';

const digest = z.strictObject({sha256: z.string(), bytes: z.int().min(0)});

/** One try at one deployment. */
export const attempt = z.strictObject({
	id: z.string(),
	deployment: z.string(),
	status: z.int().optional(),
	error: z.string().optional(),
	ms: z.number(),
});
export type Attempt = z.output<typeof attempt>;

/** What one plugin answered at one hook. A plugin that let the exchange pass and asked for nothing is only in `passed`. */
export const ruling = z.strictObject({
	plugin: z.string(),
	hook: z.string(),
	verdict: z.string(),
	code: z.string().optional(),
	rule: z.string().optional(),
	/** `observe`: recorded, not carried out. */
	mode: z.enum(['enforce', 'observe']).optional(),
	/** So many tool calls of a model were taken out of its answer for this, and the answer went on. */
	replaced: z.int().min(1).optional(),
});
export type Ruling = z.output<typeof ruling>;

/** What a plugin found, as the journal keeps it. */
export const recordedFinding = finding.extend({
	plugin: z.string(),
	hook: z.string(),
	/** Of the value found: HMAC-SHA-256 by a secret of this gateway's, 16 hex digits. Missing where no span says what was found. */
	digest: z.string().optional(),
	/** How often it was found, where that is more than once; `span` is then where it was first. */
	times: z.int().min(2).optional(),
	/** `observe`: nothing was done about it. */
	mode: z.literal('observe').optional(),
});
export type RecordedFinding = z.output<typeof recordedFinding>;

/** What an exchange set aside in the ledger; a crash settles an `opened` record without an end at these amounts. */
export const booking = z.strictObject({
	/** The ledger's key for the account's window: `account|unit|window start`. */
	key: z.string(),
	amount: z.int().min(0),
});
export type Booking = z.output<typeof booking>;

/** A share of a limit (a reservation's `notifyAt`) that has been reached, told once in its window. Amounts are in whole units. */
export const notice = z.strictObject({
	account: z.string(),
	unit,
	window: z.string(),
	percent: z.int().min(1),
	/** Spent and set aside when it was reached. */
	used: z.int().min(0),
	limit: z.int().min(0),
	/** The limit does not refuse. */
	soft: z.literal(true).optional(),
});
export type Notice = z.output<typeof notice>;

/** With `payloads: 'masked'`: what went on, as the plugins had left it. What they refused is never here. */
export const payload = z.strictObject({
	/** The body of a model call, or the params of an MCP request, as JSON. */
	request: z.string().optional(),
	/** The words of the answer, with where each came from. */
	response: z.array(z.strictObject({channel, text: z.string()})).optional(),
	/** `large`: more than `payloadKb`. `restored`: a plugin may have put back what it had kept from the provider. */
	leftOut: z.strictObject({request: z.literal('large').optional(), response: z.enum(['large', 'restored']).optional()}).optional(),
});
export type Payload = z.output<typeof payload>;

/**
 * One line of the journal. `kind`: `exchange` ends an exchange (exactly one each); `opened` precedes it when an upstream
 * is about to be reached; `admin` is an action of an operator; `gateway` is a start, a stop, a recovery; `checkpoint`
 * closes a segment. The journal adds `seq`, `at`, `prev` and `hash`.
 */
export const record = z.strictObject({
	kind: z.enum(['exchange', 'opened', 'admin', 'gateway', 'checkpoint']),
	exchange: z.string().optional(),
	surface: z.string().optional(),
	operation: z.string().optional(),
	method: z.string().optional(),
	path: z.string().optional(),
	ip: z.string().optional(),
	/** `opened` records carry the id alone. */
	principal: z
		.union([
			z.string(),
			z.strictObject({
				id: z.string(),
				tenant: z.string(),
				team: z.string().optional(),
				user: z.string().optional(),
				key: z.string().optional(),
			}),
		])
		.optional(),
	session: z.string().optional(),
	/** The exchange in which a plugin has asked what this one is about, and that plugin. */
	causedBy: z.strictObject({exchange: z.string(), plugin: z.string()}).optional(),
	/** The MCP server that was asked, the tool that was called by its own name there, and the SHA-256 of what it was called with and of what it was then. */
	server: z.string().optional(),
	tool: z.string().optional(),
	argumentsDigest: z.string().optional(),
	definitionDigest: z.string().optional(),
	model: z.string().optional(),
	deployment: z.string().optional(),
	stream: z.boolean().optional(),
	outcome: z.enum(['ok', 'failed', 'aborted', 'denied']).optional(),
	status: z.int().optional(),
	error: z.strictObject({code: z.string(), plugin: z.string().optional(), rule: z.string().optional()}).optional(),
	attempts: z.array(attempt).optional(),
	usage: usage.optional(),
	costMicroUsd: z.int().optional(),
	/** On `opened`: set aside. On `exchange`: what was settled in the end. */
	bookings: z.array(booking).optional(),
	/** The digest of the list of plugins in force (name, version, digest of each), spelled out in the `gateway` record that introduced it. */
	plugins: z.string().optional(),
	rulings: z.array(ruling).optional(),
	/** What guards found; never a value. */
	findings: z.array(recordedFinding).optional(),
	/** How many different findings more there were than a record keeps. */
	findingsLeftOut: z.int().min(1).optional(),
	annotations: z.record(z.string(), z.json()).optional(),
	tags: z.array(z.string()).optional(),
	/** What was told while this exchange ran; where none did, a `gateway` record has it. */
	notices: z.array(notice).optional(),
	request: digest.optional(),
	response: digest.optional(),
	payload: payload.optional(),
	redacted: z.array(z.string()).optional(),
	totalMs: z.number().optional(),
	overheadMs: z.number().optional(),
	/** `admin`: who did what to what, with which input (secrets left out). `gateway`: what happened. */
	event: z.json().optional(),
});

export type JournalRecord = z.output<typeof record>;
