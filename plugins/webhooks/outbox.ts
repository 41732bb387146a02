import type {Host, Json} from '../../plugin-sdk/index.ts';
import type {Config} from './events.ts';

type Lent = Pick<Host<Config>, 'config' | 'kv' | 'clock' | 'random' | 'log' | 'metrics'>;

/** A message on its way to one endpoint. */
export type Parcel = {id: string; url: string; type: string; body: string; tries: number; owner: string};

const second = 1_000;
const minute = 60 * second;
const waitsMs = [5 * second, 30 * second, 2 * minute, 10 * minute, 60 * minute, 6 * 60 * minute, 24 * 60 * minute];
/** So much longer another process leaves a parcel to whoever took it. */
const abandonedMs = 2 * minute;

const looksBetween = 1_000;

const prefix = 'out:';
/** In the order in which they are due. */
const keyOf = (dueAt: number, id: string): string => `${prefix}${String(dueAt).padStart(14, '0')} ${id}`;
const dueOf = (key: string): number => Number(key.slice(prefix.length, prefix.length + 14));

export type Kept = {key: string; parcel: Parcel};

/** Parcels that wait for another try, in the plugin's kv: any process may come to send one whose own process is gone. */
export const openOutbox = () => {
	const memory = {me: '', size: undefined as number | undefined, nextAt: Number.POSITIVE_INFINITY, looks: 0};
	const underWay = new Set<string>();

	const me = ({random}: Lent): string => {
		memory.me ||= random.uuid();
		return memory.me;
	};

	/** Looks what processes that are gone have left, now and then. */
	const sizeOf = ({kv}: Lent): number => {
		if (memory.size === undefined || ++memory.looks % looksBetween === 0) {
			const keys = kv.list(prefix, {limit: 1_000});
			memory.size = keys.length;
			memory.nextAt = keys[0] ? dueOf(keys[0].key) : Number.POSITIVE_INFINITY;
		}
		return memory.size;
	};

	const drop = ({id, url, type, tries}: Parcel, why: string, {log, metrics}: Lent): void => {
		metrics.count('dropped');
		log.warn(why, {id, url, type, tries});
	};

	return {
		/** Whether something is due by now; costs a look at the clock only where something waits. */
		isDue: (lent: Lent): boolean => sizeOf(lent) > 0 && lent.clock.now() >= memory.nextAt,

		/** The first of those that wait, due or not, which nobody else is about to send. */
		waiting(lent: Lent, {onlyDue, limit}: {onlyDue: boolean; limit: number}): Kept[] {
			const now = lent.clock.now();
			const rows = lent.kv.list(prefix, {limit});
			memory.nextAt = Number.POSITIVE_INFINITY;
			const found: Kept[] = [];
			for (const {key, value} of rows) {
				const parcel = value as Parcel;
				const dueAt = dueOf(key) + (parcel.owner === me(lent) ? 0 : abandonedMs);
				if (underWay.has(key)) continue;
				if (onlyDue && dueAt > now) memory.nextAt = Math.min(memory.nextAt, dueAt);
				else found.push({key, parcel});
			}
			if (rows.length === limit) memory.nextAt = Math.min(memory.nextAt, now + second);
			for (const {key} of found) underWay.add(key);
			return found;
		},

		/** Keeps a parcel for another try, or before the first. Resolves with its key when it is durable; with nothing where there is no room. */
		async keep(parcel: Omit<Parcel, 'owner'>, lent: Lent): Promise<string | undefined> {
			const whole: Parcel = {...parcel, owner: me(lent)};
			if (sizeOf(lent) >= lent.config.keep) {
				drop(whole, 'a webhook was dropped: the outbox is full', lent);
				return undefined;
			}
			const dueAt = lent.clock.now() + (waitsMs[parcel.tries] ?? waitsMs.at(-1)!);
			const key = keyOf(dueAt, parcel.id);
			memory.size = (memory.size ?? 0) + 1;
			memory.nextAt = Math.min(memory.nextAt, dueAt);
			const {error} = await lent.kv.put({[key]: whole as Json});
			if (!error) return key;
			memory.size -= 1;
			drop(whole, 'a webhook could not be kept for another try', lent);
			return undefined;
		},

		/** A kept parcel was delivered, or was not: then it waits longer, or is given up. */
		async tried({key, parcel}: Kept, delivered: boolean, lent: Lent): Promise<void> {
			underWay.delete(key);
			const tries = parcel.tries + 1;
			const isOver = delivered || tries > waitsMs.length;
			if (!delivered && isOver) drop({...parcel, tries}, 'a webhook was given up', lent);
			const dueAt = lent.clock.now() + (waitsMs[tries] ?? waitsMs.at(-1)!);
			const next: Record<string, Json> = isOver ? {} : {[keyOf(dueAt, parcel.id)]: {...parcel, tries, owner: me(lent)}};
			if (isOver) memory.size = Math.max(0, (memory.size ?? 1) - 1);
			else memory.nextAt = Math.min(memory.nextAt, dueAt);
			await lent.kv.put({[key]: null, ...next});
		},

		/** Nobody else in this process sends it as long as it is being tried. */
		hold: (key: string): void => void underWay.add(key),
	};
};

export type Outbox = ReturnType<typeof openOutbox>;
