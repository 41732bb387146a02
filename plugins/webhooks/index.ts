import * as z from 'zod';
import {definePlugin, type Host, type Json} from '../../plugin-sdk/index.ts';
import {type Config, config, type Endpoint, type Recorded, type Told, toldOf} from './events.ts';
import {type Kept, openOutbox, type Parcel} from './outbox.ts';
import {type Message, signed} from './sign.ts';

type Lent = Host<Config>;

const outbox = openOutbox();
const sending = {now: 0};
/** More than that at a time wait in the outbox. */
const mostAtOnce = 64;
const perFlush = 20;

/** Sends one message once; answers what went wrong, if anything did. Never throws. */
const send = async (
	message: Message,
	{url, secret}: Endpoint,
	{config, http, secrets, clock, metrics}: Lent,
): Promise<string | undefined> => {
	sending.now++;
	try {
		const headers = signed(message, secrets.get(secret), clock.now());
		const {value, error} = await http.fetch({url, method: 'POST', headers, body: message.body, timeoutMs: config.timeoutMs});
		if (value && value.status >= 200 && value.status < 300) {
			metrics.count('delivered');
			return undefined;
		}
		metrics.count('failed');
		return value ? `answered ${value.status}` : error!.message;
	} catch (error) {
		metrics.count('failed');
		return (error as Error).message;
	} finally {
		sending.now--;
	}
};

const messageOf = ({type, data}: Pick<Told, 'type' | 'data'>, {clock, random}: Lent): Message => ({
	id: `msg_${random.uuid()}`,
	body: JSON.stringify({type, timestamp: new Date(clock.now()).toISOString(), data}),
});

/** Delivers what is told for the first time. What matters is kept before it is sent, the rest only when that fails. */
const deliver = async ({type, data, isNotice}: Told, endpoint: Endpoint, host: Lent): Promise<void> => {
	const message = messageOf({type, data}, host);
	const parcel = {...message, url: endpoint.url, type, tries: 0};
	const isCrowded = sending.now >= mostAtOnce;
	const key = isNotice || isCrowded ? await outbox.keep(parcel, host) : undefined;
	if (isCrowded) return;
	if (key !== undefined) outbox.hold(key);
	const failure = await send(message, endpoint, host);
	if (failure !== undefined) host.log.warn('a webhook was not delivered', {id: message.id, url: endpoint.url, type, failure});
	if (key !== undefined) await outbox.tried({key, parcel: {...parcel, owner: ''}}, failure === undefined, host);
	else if (failure !== undefined) await outbox.keep(parcel, host);
};

/** Tries kept parcels again; answers how many were delivered. One whose endpoint is not configured any more is let go. */
const flush = async (kept: readonly Kept[], host: Lent): Promise<number> => {
	const results = await Promise.all(
		kept.map(async one => {
			const endpoint = host.config.endpoints.find(({url}) => url === one.parcel.url);
			const failure = endpoint && (await send(one.parcel, endpoint, host));
			await outbox.tried(one, failure === undefined, host);
			return endpoint !== undefined && failure === undefined;
		}),
	);
	return results.filter(Boolean).length;
};

/** Nobody waits for it: the exchange must not be later for it. */
const inBackground = (work: Promise<unknown>, {log}: Lent): void => {
	work.catch((error: Error) => log.warn('webhooks could not be worked on', {message: error.message}));
};

export default definePlugin({
	config,

	hooks: {
		/** Begins to tell what is to be told of a record, and tries again what is due; waits for neither. */
		'on-audit'({record}, host) {
			for (const endpoint of host.config.endpoints)
				for (const told of toldOf(record as Recorded, endpoint)) inBackground(deliver(told, endpoint, host), host);
			if (sending.now < mostAtOnce && outbox.isDue(host))
				inBackground(flush(outbox.waiting(host, {onlyDue: true, limit: perFlush}), host), host);
			return undefined;
		},
	},

	actions: {
		test: {
			description: 'Sends a message of the type test to each endpoint, and answers what they said.',
			input: z.strictObject({}),
			async run(_, host) {
				const {endpoints} = host.config;
				const sent = endpoints.map(async (endpoint): Promise<Json> => {
					const failure = await send(messageOf({type: 'test', data: {}}, host), endpoint, host);
					return {url: endpoint.url, delivered: failure === undefined, ...(failure !== undefined && {failure})};
				});
				return {endpoints: await Promise.all(sent)};
			},
		},
		flush: {
			description: 'Tries the first messages of the outbox again, due or not.',
			input: z.strictObject({limit: z.int().min(1).max(200).default(perFlush)}),
			async run({limit}, host) {
				const kept = outbox.waiting(host, {onlyDue: false, limit});
				return {tried: kept.length, delivered: await flush(kept, host)};
			},
		},
		outbox: {
			description: 'Messages that wait for another try, the first due first.',
			access: 'read',
			input: z.strictObject({limit: z.int().min(1).max(1_000).default(100)}),
			run({limit}, {kv}) {
				const rows = kv.list('out:', {limit});
				return {
					messages: rows.map(({key, value}) => {
						const {id, url, type, tries} = value as Parcel;
						return {id, url, type, tries, dueAt: new Date(Number(key.slice(4, 18))).toISOString()};
					}),
				};
			},
		},
	},
});
