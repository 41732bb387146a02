import type {CallContext} from '@extism/extism';
import type {Lender} from './isolate.ts';

type Sync = (context: CallContext, address: bigint) => bigint;
type Async = (context: CallContext, address: bigint) => Promise<bigint>;

/** Longest argument of a host call, in bytes. */
const argumentBytes = 16_000_000;

const argumentOf = (context: CallContext, address: bigint): string => {
	const block = address === 0n ? null : context.read(address);
	if (!block) return '';
	if (block.bytes().byteLength > argumentBytes) throw new Error('the argument of a host call is too long');
	return block.string();
};

/** A lender's reply as the {"value"} or {"error"} that modules read. */
const said = (reply: string): string => {
	if (reply === '') return '{}';
	return reply[0] === '=' ? `{"value":${reply.slice(1)}}` : `{"error":${reply.slice(1)}}`;
};

/** A log line's level is part of its argument. */
const logged = (lender: Lender, argument: string): string => {
	const refused = '!{"code":"invalid_request","message":"log wants {level: info or warn, message, facts}"}';
	try {
		const {level, ...line} = JSON.parse(argument) as {level?: unknown};
		return level === 'info' || level === 'warn' ? lender.call(`log.${level}`, JSON.stringify(line)) : refused;
	} catch {
		return refused;
	}
};

/**
 * The host functions of `extism:host/user`: each takes one text (offset 0 for none) and answers one JSON text, {"value": …},
 * {"error": {code, message}} or {} for nothing. Those that wait suspend the module, so they are there only if it imports one.
 */
export const hostFunctions = (lender: Lender, imported: ReadonlySet<string>): Record<string, Sync | Async> => {
	const reply =
		(call: (argument: string) => string): Sync =>
		(context, address) =>
			context.store(said(call(argumentOf(context, address))));
	const plain = (operation: string) => reply(argument => lender.call(operation, argument));
	const quoted = (operation: string) => reply(argument => lender.call(operation, JSON.stringify(argument)));
	const waits =
		(operation: string): Async =>
		async (context, address) => {
			const argument = argumentOf(context, address);
			const settled = await new Promise<string>(resolve => {
				const refused = lender.start(operation, argument, resolve);
				if (refused !== '') resolve(said(refused));
			});
			return context.store(settled);
		};

	const all: Record<string, Sync | Async> = {
		kv_get: plain('kv.get'),
		kv_list: reply(argument => lender.call('kv.list', argument === '' ? '{"prefix":""}' : argument)),
		clock_now: plain('clock.now'),
		random_number: plain('random.number'),
		random_uuid: plain('random.uuid'),
		random_secret: quoted('random.secret'),
		metrics_count: plain('metrics.count'),
		secrets_get: quoted('secrets.get'),
		log: reply(argument => logged(lender, argument)),
		kv_put: waits('kv.put'),
		http_fetch: waits('http.fetch'),
		models_ask: waits('models.ask'),
		crypto_verify: waits('crypto.verify'),
	};
	return Object.fromEntries(Object.entries(all).filter(([name]) => imported.has(name)));
};
