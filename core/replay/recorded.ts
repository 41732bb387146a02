import type {StoredRecord} from '../journal/journal.ts';
import {records} from '../journal/read.ts';
import {chainsOf} from '../journal/segments.ts';

export type Asked = {
	/** Milliseconds since 1970. */
	since: number;
	until: number;
	tenant?: string | undefined;
};

const isAsked = ({since, until, tenant}: Asked, {kind, at, principal, operation, surface, causedBy}: StoredRecord): boolean => {
	// What a plugin asked a model, no guard was asked about then either.
	if (causedBy !== undefined) return false;
	if (kind !== 'exchange' || operation === undefined || typeof principal !== 'object') return false;
	if (surface !== 'openai' && surface !== 'anthropic' && surface !== 'mcp') return false;
	const time = Date.parse(at);
	return time >= since && time < until && (tenant === undefined || principal.tenant === tenant);
};

type Head = {record: StoredRecord; rest: AsyncGenerator<StoredRecord>};

const nextOf = async (rest: AsyncGenerator<StoredRecord>, asked: Asked): Promise<Head | undefined> => {
	for (;;) {
		const {done, value} = await rest.next();
		if (done) return undefined;
		if (isAsked(asked, value)) return {record: value, rest};
	}
};

/** The exchanges of somebody who was identified, of all chains of a journal, in the order they ended. Memory: a line of each chain. */
export async function* recorded(folder: string, asked: Asked): AsyncGenerator<StoredRecord> {
	const begun = (await chainsOf(folder)).map(chain => nextOf(records(folder, {chain}), asked));
	const heads = (await Promise.all(begun)).filter(head => head !== undefined);
	while (heads.length > 0) {
		const times = heads.map(({record}) => Date.parse(record.at));
		const first = times.indexOf(Math.min(...times));
		const {record, rest} = heads[first]!;
		yield record;
		const next = await nextOf(rest, asked);
		if (next) heads[first] = next;
		else heads.splice(first, 1);
	}
}
