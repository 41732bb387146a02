import {hash} from 'node:crypto';
import test from 'ava';
import {startApprovals as start} from '../../test/helpers/started-approvals.ts';

test('a book of any size is listed, page by page', async t => {
	const {plugin, asked} = await start(t);
	const wanted = await asked();
	const [, value] = Object.entries(plugin.kv()).find(([key]) => key.startsWith('approval:')) as [string, object];
	const others = Array.from({length: 8_000}, (_, at) => {
		const of = hash('sha256', `${at}`);
		const id = `apr_${of.slice(0, 24)}-0123456789`;
		return [
			[`approval:${of.slice(0, 24)}`, {...value, id, hash: of}],
			[`used:${id}`, 1],
		];
	});
	await plugin.put(Object.fromEntries(others.flat()));
	const listed = async (input: object) => {
		const ids: string[] = [];
		let after: string | undefined;
		do {
			const {approvals, next} = (await plugin.act('list', {...input, after})) as {approvals: {id: string}[]; next?: string};
			ids.push(...approvals.map(({id}) => id));
			after = next;
		} while (after !== undefined);
		return ids;
	};
	t.deepEqual(await listed({state: 'pending'}), [wanted]);
	const all = await listed({limit: 1_000});
	t.is(new Set(all).size, 8_001);
	t.is(all.length, 8_001);
	t.true(all.includes(wanted));
	t.deepEqual(await listed({limit: 100}), all);
});
