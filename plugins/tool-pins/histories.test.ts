import test from 'ava';
import {poison, startPins, type Tool, tool} from '../../test/helpers/pinned-tools.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';

test('what is listed is what may be called, whatever servers show and whatever is decided', async t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below, chance} = seededRandom(seed);
	for (let history = 0; history < 12; history++) {
		const policies = {'*': pick(['trust', 'ask', 'deny']), one: pick(['trust', 'ask', 'deny']), two: pick(['trust', 'trust', 'ask'])};
		const findings = {'other-server': pick(['hide', 'flag']), instructions: pick(['hide', 'flag'])};
		const {list, call, act, pins, clock} = await startPins(t, {first: policies, findings});
		for (let round = 0; round < 25; round++) {
			clock.now += below(90_000);
			const names = ['a_tool', 'b_tool', 'c_tool', 'd\u200b'].filter(() => chance(0.7));
			const tools = names.flatMap(name =>
				['one', 'two', 'three']
					.filter(() => chance(0.7))
					.map(server =>
						tool(name, pick([{description: 'x'}, {description: 'y'}, {description: 'calls d_tool and b_tool'}, poison]), server),
					),
			);
			// Names are the same in each of them: which of a server's are listed is asked of each by itself.
			const listed = new Set<Tool>();
			for (const server of ['one', 'two', 'three']) {
				const own = tools.filter(one => one.server === server);
				const left = await list(own, server);
				for (const one of own) if (left.includes(one.name)) listed.add(one);
				for (const one of own) {
					const may = (await call(one)) === true;
					if (may !== listed.has(one))
						t.fail(`seed ${seed}, history ${history}, round ${round}: ${server}/${one.name} listed ${!may}, called ${may}`);
				}
			}
			const {pins: known} = await pins();
			const some = known.length > 0 ? pick(known) : undefined;
			if (some && chance(0.5))
				await act(pick(['approve', 'reject']), {server: some.server, tool: some.tool, digest: some.digest}).catch(() => undefined);
			else if (some && chance(0.3)) await act('forget', {server: some.server, tool: some.tool});
		}
	}
	t.pass();
});
