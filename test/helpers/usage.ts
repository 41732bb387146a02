import type {StoredRecord} from '../../core/journal/journal.ts';
import type {Line, Report} from '../../core/usage/report.ts';
import type {Random} from './seeded-random.ts';

export type Place = {url: string; adminKey?: string};
export type Asked = {key?: string; accept?: string};

/** What a gateway answers at a path, to its owner unless another key is named. */
export const get = async ({url, adminKey}: Place, path: string, {key = adminKey, accept = 'application/json'}: Asked = {}) => {
	const response = await fetch(`${url}${path}`, {headers: {authorization: `Bearer ${key}`, accept}});
	return {status: response.status, headers: response.headers, text: await response.text()};
};

/** Every page of a report; throws what the gateway says against it. */
export const usagePages = async (place: Place, query: string, asked: Asked = {}): Promise<Report[]> => {
	const pages: Report[] = [];
	for (let cursor = ''; ; ) {
		const {status, text} = await get(place, `/admin/usage?${query}${cursor && `&cursor=${cursor}`}`, asked);
		if (status !== 200) throw Object.assign(new Error(text), JSON.parse(text));
		const page = JSON.parse(text) as Report;
		pages.push(page);
		if (page.next === undefined) return pages;
		cursor = page.next;
	}
};

export const usageLines = async (place: Place, query: string, asked: Asked = {}): Promise<Line[]> =>
	(await usagePages(place, query, asked)).flatMap(({rows}) => rows);

/** Records of what models were asked for. */
export const modelCalls = (records: readonly StoredRecord[]): StoredRecord[] =>
	records.filter(({kind, surface, path}) => kind === 'exchange' && surface !== 'admin' && surface !== 'gateway' && path !== '/v1/usage');

type Sums = {
	requests: number;
	costMicroUsd: number;
	inputTokens: number;
	outputTokens: number;
	failed: number;
	denied: number;
	aborted: number;
};

/** What these records come to, under each name that `namesOf` has for them: counted here by hand, from the journal alone. */
export const sumsOf = (records: readonly StoredRecord[], namesOf: (record: StoredRecord) => readonly string[]): Record<string, Sums> => {
	const sums: Record<string, Sums> = {};
	for (const record of modelCalls(records)) {
		for (const name of namesOf(record)) {
			sums[name] ??= {requests: 0, costMicroUsd: 0, inputTokens: 0, outputTokens: 0, failed: 0, denied: 0, aborted: 0};
			const sum = sums[name];
			const booked = (record.bookings ?? []).filter(({key}) => key.includes('|microUsd|')).map(({amount}) => amount);
			sum.requests += 1;
			sum.costMicroUsd += record.costMicroUsd ?? Math.max(0, ...booked);
			sum.inputTokens += record.usage?.inputTokens ?? 0;
			sum.outputTokens += record.usage?.outputTokens ?? 0;
			if (record.outcome !== 'ok') sum[record.outcome!] += 1;
		}
	}
	return sums;
};

/** The same sums as a report has them, by what its rows are told apart by. */
export const sumsIn = (lines: readonly Line[], by: readonly (keyof Line)[]): Record<string, Sums> =>
	Object.fromEntries(
		lines.map(line => {
			const {requests, costMicroUsd, inputTokens, outputTokens, failed, denied, aborted} = line;
			return [by.map(name => line[name]).join(' '), {requests, costMicroUsd, inputTokens, outputTokens, failed, denied, aborted}];
		}),
	);

/** One call of a model, streamed or not, and perhaps left before its end. Answers its status; 0 where the gateway was gone. */
export const callModel = async (
	url: string,
	key: string,
	{model, stream = false, leave = false, text = 'How do you do?'}: {model: string; stream?: boolean; leave?: boolean; text?: string},
): Promise<number> => {
	const aborter = new AbortController();
	try {
		const response = await fetch(`${url}/v1/chat/completions`, {
			method: 'POST',
			headers: {authorization: `Bearer ${key}`, 'content-type': 'application/json'},
			body: JSON.stringify({model, stream, max_tokens: 20, messages: [{role: 'user', content: text}]}),
			signal: aborter.signal,
		});
		if (!leave) {
			await response.text();
			return response.status;
		}
		const reader = response.body!.getReader();
		await reader.read();
		aborter.abort();
		return response.status;
	} catch {
		return 0;
	}
};

/** Calls of every kind by every key, some at once: `kinds` says what may be asked for. */
export const traffic = async (
	random: Random,
	url: string,
	keys: readonly string[],
	{count, models}: {count: number; models: readonly string[]},
): Promise<void> => {
	const one = () => {
		const model = random.pick(models);
		const isEndless = model.includes('endless');
		return callModel(url, random.pick(keys), {
			model,
			stream: isEndless || random.chance(0.5),
			leave: isEndless,
			text: 'x'.repeat(1 + random.below(200)),
		});
	};
	for (let left = count; left > 0; left -= 8) await Promise.all(Array.from({length: Math.min(8, left)}, one));
};
