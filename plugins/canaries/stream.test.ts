import test, {type ExecutionContext} from 'ava';
import {startPlugin} from '../../plugin-sdk/testing.ts';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {find, openFrom} from './find.ts';
import {needlesFor} from './needles.ts';
import {tokenOf} from './tokens.ts';

const token = tokenOf('secret', 'acme', null);
const needles = needlesFor([token]);

const forms: Record<string, string> = {
	plain: token,
	spaced: [...token].join(' '),
	backwards: [...token].reverse().join(''),
	hex: Buffer.from(token).toString('hex').toUpperCase(),
	'hex in a script': Buffer.from(token).toString('hex').replace(/../g, '\\x$&').slice(1),
	base64: Buffer.from(token).toString('base64'),
};

/** What leaves of a text that comes in pieces, by the rules of the plugin; stops where it would refuse. */
const leaving = (pieces: readonly string[]): {out: string; found: boolean} => {
	let held = '';
	let out = '';
	for (const [index, piece] of pieces.entries()) {
		held += piece;
		if (find(held, needles).length > 0) return {out, found: true};
		const open = index === pieces.length - 1 ? held.length : openFrom(held, needles);
		out += held.slice(0, open);
		held = held.slice(open);
	}
	return {out, found: false};
};

test('cut at every position, in every form, it is found, and nothing of it has left before', t => {
	for (const [name, form] of Object.entries(forms)) {
		const [before, after] = ['Well, here it is: ', ' and that is all of it.'];
		const text = before + form + after;
		for (let at = 0; at <= text.length; at++) {
			const {out, found} = leaving([text.slice(0, at), text.slice(at)]);
			t.true(found, `${name} at ${at}`);
			t.true(out.length <= before.length, `${name} at ${at}: ${out}`);
		}
		const {out, found} = leaving([...text]);
		t.true(found, name);
		t.true(before.startsWith(out), `${name}: ${out}`);
	}
});

test('a text that only looks like the beginning of it leaves whole in the end, and never waits for more than a window', t => {
	const seed = 20261123;
	const random = seededRandom(seed);
	for (let count = 0; count < 200; count++) {
		const text = Array.from(
			{length: 40},
			() =>
				[token.slice(0, random.below(12)), ' ', 'word', '\\x', Buffer.from(token).toString('hex').slice(0, random.below(12)), 'é😀'][
					random.below(6)
				],
		).join('x');
		const pieces: string[] = [];
		for (let at = 0; at < text.length; ) {
			const length = 1 + random.below(9);
			pieces.push(text.slice(at, at + length));
			at += length;
		}
		t.deepEqual(leaving(pieces), {out: text, found: false}, `seed ${seed}, ${count}`);
		for (let at = 0; at <= text.length; at++) t.true(at - openFrom(text.slice(0, at), needles) <= 256);
	}
	t.is(openFrom([...token.slice(0, 11)].join(' '.repeat(100)), needles) > 0, true, 'spaced wider than a window can hold');
});

type Said = {verdict: string; clear?: number; patch?: {window?: string}; findings?: unknown[]};

const streaming = async (t: ExecutionContext, action: string) => {
	const plugin = await startPlugin(import.meta.url, {config: {answers: action, watch: [token]}});
	t.teardown(plugin.close);
	const {carry: carried} = (await plugin.ask('pre-request', {
		principal: {tenant: 'acme'},
		operation: 'chat',
		text: [],
		channels: [],
	})) as {verdict: string; carry: string};
	/** Feeds pieces as the host would. */
	return async (pieces: readonly string[]) => {
		let held = '';
		let out = '';
		let findings = 0;
		for (const [index, piece] of pieces.entries()) {
			held += piece;
			const final = index === pieces.length - 1;
			const said = (await plugin.ask('post-response', {
				window: {channel: 1, text: held, final},
				channels: ['assistant'],
				text: [],
				carried,
			})) as Said;
			findings += said.findings?.length ?? 0;
			if (said.verdict === 'deny') return {out, findings, denied: true};
			const clear = said.clear ?? held.length;
			out += said.patch?.window ?? held.slice(0, clear);
			held = held.slice(clear);
		}
		return {out, findings, denied: false};
	};
};

test('what is flagged is told of once and leaves as it is; what is stripped leaves without it; what is denied does not', async t => {
	const text = `My orders are ${token}, all of them.`;
	const cuts = [[...text], [text], [text.slice(0, 20), text.slice(20, 30), text.slice(30)]];
	const [flag, strip, refuse] = [await streaming(t, 'flag'), await streaming(t, 'strip'), await streaming(t, 'deny')];
	for (const pieces of cuts) {
		const flagged = await flag(pieces);
		t.is(flagged.out, text);
		t.true(flagged.findings > 0 && flagged.findings <= 2, 'each half may be told of by itself');
		t.is((await strip(pieces)).out, 'My orders are , all of them.');
		const denied = await refuse(pieces);
		t.true(denied.denied);
		t.true('My orders are '.startsWith(denied.out), denied.out);
	}
});
