import {randomUUID} from 'node:crypto';
import type {Operation} from '../schemas/hooks.ts';
import type {Principal} from '../schemas/principal.ts';
import type {Attempt, Booking, JournalRecord, Notice, Payload, RecordedFinding, Ruling} from '../schemas/record.ts';
import type {Usage} from '../schemas/usage.ts';
import type {DenyCode, FoundBefore, Reservation} from '../schemas/verdict.ts';
import type {GatewayError} from './errors.ts';
import type {Crossing} from './ledger/ledger.ts';
import type {JsonObject} from './llm/json.ts';
import type {Question} from './questions.ts';
import type {Waiting} from './upstream/reply.ts';
import type {Way} from './way.ts';

export type Outcome = 'ok' | 'failed' | 'aborted' | 'denied';
export const surfaces = ['openai', 'anthropic', 'mcp', 'admin', 'gateway'] as const;
export type Surface = (typeof surfaces)[number];

/** What one verdict asked to set aside, had or not, and how it refuses what has no room. */
export type Limits = {readonly plugin: string; readonly reserve: readonly Reservation[]; readonly orElse: DenyCode};

/** The one thing that travels: what is known of a request and its reply so far. It ends in exactly one journal record. */
export type Exchange = {
	readonly id: string;
	/** Milliseconds since 1970, and by a clock that never jumps. */
	readonly at: number;
	readonly startedMs: number;
	readonly method: string;
	readonly path: string;
	readonly ip: string;
	surface: Surface;
	/** The address of the MCP door it came to, as OAuth tokens name it. */
	resource?: string | undefined;
	/** What `www-authenticate` says when it is refused for want of a credential, or of a better one. */
	challenge?: string;
	operation?: Operation;
	principal?: Principal;
	/** The plugin that said so. */
	identifiedBy?: string;
	/** When the credential ends, in milliseconds since 1970. */
	endsAt?: number | undefined;
	/** What may be asked again while it runs. */
	questions?: Question[] | undefined;
	session?: string;
	/** Over MCP, whose conversations it is part of: `session:…`, `stream:…` or, without either, `principal:…`. */
	owner?: string;
	/** The exchange in which a plugin asks what this one is about, and that plugin. */
	causedBy?: {exchange: string; plugin: string};
	/** The MCP server that is asked, and the tool that is called, by its own name there. */
	server?: string;
	tool?: string;
	argumentsDigest?: string;
	definitionDigest?: string;
	model?: string;
	deployment?: string;
	stream: boolean;
	tags: string[];
	rulings: Ruling[];
	/** What guards found, each once, and how many more there were. */
	findings?: Map<string, RecordedFinding>;
	findingsLeftOut?: number;
	/** The same in short, for the plugins behind. */
	found?: Map<string, FoundBefore>;
	/** What it is tainted with, by itself. */
	taints?: Set<string>;
	annotations: Record<string, string | number | boolean>;
	attempts: Attempt[];
	/** What each plugin has set aside and not settled yet. */
	held: Map<string, Booking[]>;
	/** Every limit that it had to keep to. */
	limits: Limits[];
	/** What this process saw reached with it; who tells of that, the store decides. */
	crossed?: Crossing[];
	notices: Notice[];
	/** What was booked in the end. */
	settled: Booking[];
	/** Each plugin's private state of this exchange. */
	carried: Map<string, string>;
	usage?: Usage;
	costMicroUsd?: number;
	request?: {sha256: string; bytes: number};
	response?: {sha256: string; bytes: number};
	/** What the journal is to keep of what was said. */
	payload?: Payload;
	/** The plugins that had something to carry when the request went on: what they write into the answer may be what they had taken out. */
	restorers?: ReadonlySet<string>;
	outcome?: Outcome;
	status?: number;
	error?: GatewayError;
	redacted?: string[];
	/** Waiting for the upstream, in milliseconds: the rest of the time is ours. */
	upstreamMs: number;
	/** An upstream may have been reached. */
	opened: boolean;
	/** Its record has been made. */
	closed: boolean;
	/** The reply streams: plugins that read windows have their say there, and not at the end. */
	windowed: boolean;
	/** Its provider may run tools of its own, and answer with what they brought in. */
	runsTools?: boolean;
	/** What it waits for, or was let pass by. */
	approval?: {id: string; isPending?: true; isEdited?: true; arguments?: JsonObject};
	/** It was kept waiting: what it is about may be something else by now. */
	waited?: true;
	/** What each plugin has claimed for it. */
	claims?: Map<string, string>;
	/** What was asked about it, until it is sent. */
	way?: Way | undefined;
	/** What has come to stand against it while it ran, where such exchanges may finish. */
	revoked?: GatewayError;
	/** Tells when nobody is there any more to take the reply. */
	waiting?: Waiting;
	/** Ends it at once, from outside. */
	cut?: (error: GatewayError) => void;
};

type Start = Pick<Exchange, 'method' | 'path' | 'ip' | 'surface'>;

export const openExchange = ({method, path, ip, surface}: Start): Exchange => ({
	id: `ex_${randomUUID()}`,
	at: Date.now(),
	startedMs: performance.now(),
	method,
	path,
	ip,
	surface,
	stream: false,
	tags: [],
	rulings: [],
	annotations: {},
	attempts: [],
	held: new Map(),
	limits: [],
	notices: [],
	settled: [],
	carried: new Map(),
	upstreamMs: 0,
	opened: false,
	closed: false,
	windowed: false,
});

const some = <T extends object>(value: T): T | undefined => (Object.keys(value).length > 0 ? value : undefined);
const ms = (value: number): number => Math.round(value * 1_000) / 1_000;

/** Milliseconds of this exchange that were not spent waiting for an upstream. */
export const overheadMs = ({startedMs, upstreamMs}: Exchange): number => ms(performance.now() - startedMs - upstreamMs);

/** What stands in the journal before an upstream is reached, so that a crash leaves evidence. */
export const openedRecord = (exchange: Exchange, plugins: string): JournalRecord => ({
	kind: 'opened',
	exchange: exchange.id,
	operation: exchange.operation,
	principal: exchange.principal?.id,
	causedBy: exchange.causedBy,
	server: exchange.server,
	tool: exchange.tool,
	model: exchange.model,
	bookings: exchange.held.size > 0 ? [...exchange.held.values()].flat() : undefined,
	plugins,
});

/** The one record of an exchange that has ended. */
export const closedRecord = (exchange: Exchange, plugins: string): JournalRecord => {
	const {error, principal} = exchange;
	return {
		kind: 'exchange',
		exchange: exchange.id,
		surface: exchange.surface,
		operation: exchange.operation,
		method: exchange.method,
		path: exchange.path,
		ip: exchange.ip,
		principal: principal && {id: principal.id, tenant: principal.tenant, team: principal.team, user: principal.user, key: principal.key},
		session: exchange.session,
		causedBy: exchange.causedBy,
		server: exchange.server,
		tool: exchange.tool,
		argumentsDigest: exchange.argumentsDigest,
		definitionDigest: exchange.definitionDigest,
		model: exchange.model,
		deployment: exchange.deployment,
		stream: exchange.stream,
		outcome: exchange.outcome,
		status: exchange.status,
		error: error && {code: error.code, plugin: error.plugin, rule: error.rule},
		attempts: some(exchange.attempts),
		usage: exchange.usage,
		costMicroUsd: exchange.costMicroUsd,
		bookings: some(exchange.settled),
		plugins,
		rulings: some(exchange.rulings),
		findings: exchange.findings && some([...exchange.findings.values()]),
		findingsLeftOut: exchange.findingsLeftOut,
		annotations: some(exchange.annotations),
		tags: some(exchange.tags),
		notices: some(exchange.notices),
		request: exchange.request,
		response: exchange.response,
		payload: exchange.payload,
		redacted: exchange.redacted,
		totalMs: ms(performance.now() - exchange.startedMs),
		overheadMs: overheadMs(exchange),
	};
};
