import type {Logger} from 'pino';
import type {JournalRecord} from '../schemas/record.ts';
import {type Effects, unit} from '../schemas/verdict.ts';
import type {Admins} from './admin/admins.ts';
import type {Diary} from './admin/differences.ts';
import type {ResolvedConfig} from './config.ts';
import {settleHeld} from './effects.ts';
import {asGatewayError, type GatewayError} from './errors.ts';
import {closedRecord, type Exchange, openedRecord} from './exchange.ts';
import type {Explain, Rehearse} from './explain.ts';
import type {Holds} from './holds.ts';
import type {Hooks} from './hooks.ts';
import type {Journal} from './journal/journal.ts';
import type {Ledger} from './ledger/ledger.ts';
import type {Catalogue} from './llm/catalogue.ts';
import type {Mcp} from './mcp/open.ts';
import type {Metrics} from './metrics.ts';
import type {PluginHouse} from './plugins/house.ts';
import type {Store} from './store/store.ts';
import type {UsageStore} from './store/usage.ts';
import type {Taints} from './taints/taints.ts';
import type {UnderWay} from './under-way.ts';
import type {Usage} from './usage/open.ts';

/** What a request meets, made by `boot` and handed down. */
export type Gateway = {
	config: ResolvedConfig;
	log: Logger;
	hooks: Hooks;
	/** Exchanges that wait for a decision. */
	holds: Holds;
	house: PluginHouse;
	catalogue: Catalogue;
	mcp: Mcp;
	journal: Journal;
	ledger: Ledger;
	metrics: Metrics;
	usage: Usage;
	/** For pages about usage and the ledger; nothing else asks the store while a request waits. */
	store: UsageStore & Pick<Store, 'processes'>;
	admins: Admins;
	/** What guards have tainted. */
	taints: Taints;
	/** What plugins' actions write, noted for the journal. */
	diary: Diary;
	/** What would become of a request, without one. */
	explain: Explain;
	/** What would happen, without it. */
	rehearse: Rehearse;
	/** True from the moment the gateway was told to stop. */
	stopping: boolean;
	/** The number of each `opened` record whose exchange has no record of its end yet, in their order. */
	open: Map<string, number>;
	/** Exchanges whose reply has not ended, or whose record is not written. */
	running: UnderWay<Exchange>;
};

/** Leaves evidence before an upstream is reached. Rejects with `journal_unavailable`. */
export const recordOpened = (gateway: Gateway, exchange: Exchange): Promise<void> => {
	// Not before it is written: what was set aside costs nothing where no upstream was reached.
	const {seq, written} = gateway.journal.append(openedRecord(exchange, gateway.house.digest));
	gateway.open.set(exchange.id, seq);
	return written.then(
		() => {
			exchange.opened = true;
		},
		thrown => {
			gateway.open.delete(exchange.id);
			throw thrown;
		},
	);
};

type Used = NonNullable<Effects['settle']>;

/** What is known of an exchange that reached an upstream; the units that are missing were used in full, for all anybody knows. */
const countedIn = ({usage, costMicroUsd: microUsd}: Exchange): Used => ({
	...(microUsd !== undefined && {microUsd}),
	...(usage && {tokens: usage.inputTokens + usage.outputTokens, inputTokens: usage.inputTokens, outputTokens: usage.outputTokens}),
	requests: 1,
});

const nothing: Used = Object.fromEntries(unit.options.map(name => [name, 0]));

/** What reservations nobody settled come to: the real figures, or nothing when no upstream was reached. */
export const settleRest = ({ledger}: Pick<Gateway, 'ledger'>, exchange: Exchange): void => {
	if (exchange.held.size === 0) return;
	const used = exchange.opened ? countedIn(exchange) : nothing;
	for (const plugin of [...exchange.held.keys()]) settleHeld(ledger, exchange, plugin, used);
};

/**
 * Ends an exchange: settles what is left, asks on-audit, and writes its one record. Resolves when the record is in the
 * file; the reply must not end before. Rejects with `journal_unavailable`.
 */
export const finish = async (gateway: Gateway, exchange: Exchange): Promise<void> => {
	if (exchange.closed) return;
	exchange.closed = true;
	settleRest(gateway, exchange);
	if (gateway.hooks.listens('on-audit', exchange)) await auditOf(gateway, exchange, closedRecord(exchange, gateway.house.digest));
	await file(gateway, exchange);
};

const file = (gateway: Gateway, exchange: Exchange): Promise<void> => {
	const record = closedRecord(exchange, gateway.house.digest);
	for (const path of exchange.redacted ?? []) redact(record, path);
	const {seq, at, written} = gateway.journal.append(record);
	gateway.metrics.ended(exchange);
	// Only then is the number this record's own: a record that could not be written leaves its number to the next.
	return written.then(() => {
		gateway.usage.ended(record, seq, at);
		gateway.open.delete(exchange.id);
		if (exchange.settled.length > 0) gateway.ledger.journaled(exchange.settled, seq);
	});
};

/** Asks on-audit about a record that is not written yet. */
export const auditOf = (gateway: Gateway, exchange: Exchange, journalRecord: JournalRecord): Promise<void> => {
	const record: Record<string, unknown> = journalRecord;
	const texts = new Map<string, string>();
	const fields = (path: string): string | undefined => {
		const known = texts.get(path);
		if (known !== undefined) return known;
		const text = JSON.stringify(path === 'record.*' ? record : record[path.slice('record.'.length)]);
		if (text !== undefined) texts.set(path, text);
		return text;
	};
	return gateway.hooks.ask('on-audit', exchange, fields, verdict => {
		if (verdict.verdict === 'redact') exchange.redacted = [...(exchange.redacted ?? []), ...verdict.paths];
	});
};

/** What the chain and the ledger stand on cannot be taken out. */
const unredactable = new Set(['kind', 'exchange', 'outcome', 'bookings', 'plugins', 'rulings', 'findings', 'notices', 'redacted']);

const redact = (record: Record<string, unknown>, path: string): void => {
	const steps = path.split('.');
	if (unredactable.has(steps[0]!)) return;
	const last = steps.pop()!;
	let holder: unknown = record;
	for (const step of steps)
		holder =
			typeof holder === 'object' && holder !== null && Object.hasOwn(holder, step) ? (holder as Record<string, unknown>)[step] : undefined;
	if (typeof holder === 'object' && holder !== null && Object.hasOwn(holder, last))
		(holder as Record<string, unknown>)[last] = '[redacted]';
};

/** A rule that refuses what an upstream answered denies no less than one that refuses the question. */
const outcomeOf = ({opened}: Exchange, {code, status, plugin}: GatewayError): 'aborted' | 'failed' | 'denied' => {
	if (code === 'client_closed') return 'aborted';
	return status >= 500 || (opened && plugin === undefined) ? 'failed' : 'denied';
};

/** Notes on the exchange how it went wrong; the error is kept for the record, not for the client alone. */
export const failWith = (gateway: Gateway, exchange: Exchange, thrown: unknown): GatewayError => {
	const error = asGatewayError(thrown);
	exchange.error = error;
	exchange.status = error.status;
	exchange.outcome ??= outcomeOf(exchange, error);
	if (error.code === 'internal') gateway.log.error({exchange: exchange.id, err: error.cause}, 'the gateway failed');
	return error;
};
