import {createHash, randomBytes, randomUUID} from 'node:crypto';
import * as z from 'zod';
import type {HttpRequest, HttpResponse, ModelAnswer} from '../../plugin-sdk/host.ts';
import type {Capability} from '../../schemas/manifest.ts';
import {unit, window} from '../../schemas/verdict.ts';
import {GatewayError} from '../errors.ts';
import type {Lender} from './isolate.ts';
import {signedBy, verifying} from './jws.ts';
import {type Question, questionIn} from './question.ts';

export type KvSpace = {
	get(key: string): string | undefined;
	/** [key, JSON] in key order. */
	list(prefix: string, after: string | undefined, limit: number): [string, string][];
	put(entries: Record<string, string | null>): Promise<void>;
	/** In shared memory: [0] is another number after each change, so that what was read before may be kept until then. */
	stamp?: Int32Array;
};

export type Balance = {spent: number; reserved: number; resetsAt?: number};

/** Everything one plugin may borrow, and where it comes from. */
export type Lending = {
	name: string;
	/** What the manifest names; what the config grants of it is checked before the boot goes on. */
	granted: ReadonlySet<Capability>;
	kv: KvSpace;
	secrets: Readonly<Record<string, string>>;
	http(request: HttpRequest): Promise<HttpResponse>;
	log(level: 'info' | 'warn', message: string, facts: unknown): void;
	count(name: string, by: number): void;
	balance?(account: string, unit: string, window: string, timeZone?: string): Balance;
	/** Missing where nothing is to be sent. */
	ask?(question: Question): Promise<ModelAnswer>;
	now(): number;
};

const key = z.string().min(1).max(500);
const line = z.strictObject({message: z.string().max(2_000), facts: z.json().optional()});
const listing = z.strictObject({
	prefix: z.string().max(500),
	after: z.string().max(500).optional(),
	limit: z.int().min(1).max(1_000).default(1_000),
});
const counting = z.strictObject({name: z.string().regex(/^[a-z][a-z0-9_]{0,60}$/), by: z.number().min(0).max(1e12)});
const account = z.strictObject({account: z.string(), unit, window, timeZone: z.string().optional()});
const entries = z.record(key, z.json());
const request = z.strictObject({
	url: z.string().max(8_000),
	method: z.string().max(20).optional(),
	headers: z.record(z.string(), z.string()).optional(),
	body: z.string().max(10_000_000).optional(),
	timeoutMs: z.int().min(1).max(60_000).optional(),
}) satisfies z.ZodType<HttpRequest>;

/** Largest value of one kv entry, in characters of JSON. */
const kvValueChars = 256_000;
/** Largest page of `kv.list`, in characters of JSON. */
const kvPageChars = 16_000_000;
/** Most host calls of one plugin that are under way at a time. */
const mostAtOnce = 256;
/** The same for questions to models, which wait for each other. */
const mostQuestions = 1_250;
/** A counter is kept for ever under its name. */
const mostCounters = 100;
/** Most characters of a call that only says or asks something. */
const mostSmallChars = 20_000;
const linesPerSecond = 200;
const mostLines = 1_000;

/** So many lines at once, and so many a second; what is left out is counted and told with the next that is not. */
const openAllowance = (now: () => number): (() => {granted: boolean; leftOut: number}) => {
	let [left, at, leftOut] = [mostLines, now(), 0];
	return () => {
		const moment = now();
		left = Math.min(mostLines, left + (Math.max(0, moment - at) * linesPerSecond) / 1_000);
		at = moment;
		if (left < 1) {
			leftOut++;
			return {granted: false, leftOut: 0};
		}
		left--;
		const told = leftOut;
		leftOut = 0;
		return {granted: true, leftOut: told};
	};
};

const value = (json: unknown): string => `=${JSON.stringify(json)}`;

/** Host functions for one plugin. They answer in strings and never throw; a failure says what to mend and nothing of the host. */
export const lend = ({name, granted, kv, secrets, http, log, count, balance, ask, now}: Lending): Lender => {
	const needs = (capability: Capability): void => {
		if (granted.has(capability)) return;
		const line = `"capabilities": ["${[...granted, capability].join('", "')}"]`;
		throw new GatewayError('denied', `${name} may not use ${capability}: its manifest.json does not name it; add ${line}`);
	};

	const counters = new Set<string>();
	const mayLog = openAllowance(now);

	const say = (level: 'info' | 'warn', argument: string): string => {
		needs('log');
		const said = line.parse(JSON.parse(argument));
		const {granted: logged, leftOut} = mayLog();
		if (leftOut > 0) log('warn', `${leftOut} lines were left out`, undefined);
		if (logged) log(level, said.message, said.facts);
		return '';
	};

	const calls: Record<string, (argument: string) => string> = {
		'kv.get': argument => {
			needs('kv');
			const json = kv.get(argument);
			return json === undefined ? '' : `=${json}`;
		},
		'kv.list': argument => {
			needs('kv');
			const {prefix, after, limit} = listing.parse(JSON.parse(argument));
			const page = kv.list(prefix, after, limit).map(([entry, json]) => `{"key":${JSON.stringify(entry)},"value":${json}}`);
			if (page.reduce((chars, {length}) => chars + length, 0) > kvPageChars) {
				throw new GatewayError('invalid_request', `the page is longer than ${kvPageChars} characters; ask for fewer with limit`);
			}
			return `=[${page}]`;
		},
		'clock.now': () => {
			needs('clock');
			return value(now());
		},
		'random.number': () => {
			needs('random');
			return value(randomBytes(6).readUIntBE(0, 6) / 2 ** 48);
		},
		'random.uuid': () => {
			needs('random');
			return value(randomUUID());
		},
		'random.secret': argument => {
			needs('random');
			const secret = `${z.string().max(20).parse(JSON.parse(argument))}${randomBytes(32).toString('base64url')}`;
			return value({value: secret, sha256: createHash('sha256').update(secret).digest('hex')});
		},
		'log.info': argument => say('info', argument),
		'log.warn': argument => say('warn', argument),
		'metrics.count': argument => {
			needs('metrics');
			const counted = counting.parse(JSON.parse(argument));
			if (!counters.has(counted.name) && counters.size >= mostCounters) {
				throw new GatewayError('invalid_request', `${name} has ${mostCounters} counters already; put what varies in the log`);
			}
			counters.add(counted.name);
			count(counted.name, counted.by);
			return '';
		},
		'secrets.get': argument => {
			needs('secrets');
			const wanted = z.string().parse(JSON.parse(argument));
			if (Object.hasOwn(secrets, wanted)) return value(secrets[wanted]);
			throw new GatewayError(
				'denied',
				`${name} has no secret "${wanted}"; add grants: {secrets: {${wanted}: env('…')}} to its entry in gateway.config.ts`,
			);
		},
		'ledger.balance': argument => {
			needs('ledger');
			const asked = account.parse(JSON.parse(argument));
			if (!balance) throw new GatewayError('denied', 'ledger.balance is lent to the inline tier only');
			return value(balance(asked.account, asked.unit, asked.window, asked.timeZone));
		},
	};

	const works: Record<string, (argument: string) => Promise<unknown>> = {
		'kv.put': async argument => {
			needs('kv');
			const texts = Object.entries(entries.parse(JSON.parse(argument))).map(
				([entry, json]) => [entry, json === null ? null : JSON.stringify(json)] as const,
			);
			for (const [entry, json] of texts) {
				if (json && json.length > kvValueChars)
					throw new GatewayError('invalid_request', `the value of "${entry}" is longer than ${kvValueChars} characters`);
			}
			await kv.put(Object.fromEntries(texts));
			return true;
		},
		'http.fetch': argument => {
			needs('http');
			return http(request.parse(JSON.parse(argument)));
		},
		'models.ask': async argument => {
			needs('models');
			const asked = questionIn(argument);
			if (!ask) throw new GatewayError('denied', `${name} asks nobody here: what is only tried sends nothing`);
			return ask(asked);
		},
		'crypto.verify': argument => {
			needs('crypto');
			return signedBy(verifying.parse(JSON.parse(argument)));
		},
	};

	const failed = (thrown: unknown): {code: string; message: string} => {
		if (thrown instanceof GatewayError) return {code: thrown.code, message: thrown.message.slice(0, 2_000)};
		if (thrown instanceof SyntaxError) return {code: 'invalid_request', message: 'the argument of the host call is not JSON'};
		if (thrown instanceof z.ZodError) return {code: 'invalid_request', message: z.prettifyError(thrown).slice(0, 500)};
		return {code: 'internal', message: 'the host call failed'};
	};

	const underWay = {calls: 0, questions: 0};
	const run = async (operation: string, argument: string): Promise<string> => {
		const [kind, most] = operation === 'models.ask' ? (['questions', mostQuestions] as const) : (['calls', mostAtOnce] as const);
		try {
			if (underWay[kind] >= most)
				throw new GatewayError('rate_limited', `${name} has ${most} host calls under way; await some of them first`);
			underWay[kind]++;
			try {
				return JSON.stringify({value: await works[operation]!(argument)});
			} finally {
				underWay[kind]--;
			}
		} catch (thrown) {
			return JSON.stringify({error: failed(thrown)});
		}
	};

	return {
		...(kv.stamp && {stamp: kv.stamp}),
		call(operation, argument) {
			try {
				if (argument.length > mostSmallChars)
					throw new GatewayError('invalid_request', `${operation} takes ${mostSmallChars} characters at most`);
				return Object.hasOwn(calls, operation) ? calls[operation]!(argument) : '';
			} catch (thrown) {
				return `!${JSON.stringify(failed(thrown))}`;
			}
		},
		start(operation, argument, done) {
			if (!Object.hasOwn(works, operation)) return `!${JSON.stringify({code: 'not_found', message: `there is no host call ${operation}`})}`;
			void run(operation, argument).then(done);
			return '';
		},
	};
};
