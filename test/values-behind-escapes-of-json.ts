import {readFile} from 'node:fs/promises';
import test, {type ExecutionContext} from 'ava';
import {holdBack} from '../core/upstream/hold-back.ts';
import {startPlugin} from '../plugin-sdk/testing.ts';
import {seededRandom} from './helpers/seeded-random.ts';

const reply = {
	operation: 'chat',
	outcome: 'ok',
	status: 200,
	text: [] as string[],
	answers: [] as number[],
	attempts: [],
	latency: {totalMs: 1},
} as const;

/** A guard that is shown a text whole, and in pieces as the gateway does it. */
const guard = async (t: ExecutionContext, folder: string, config: Record<string, unknown>) => {
	const path = new URL(`../plugins/${folder}`, import.meta.url).pathname;
	const plugin = await startPlugin(path, {config});
	t.teardown(plugin.close);
	const {overlap} = JSON.parse(await readFile(`${path}/manifest.json`, 'utf8')).hooks['post-response'].window as {overlap: number};
	const whole = async (text: string): Promise<string> => {
		const verdict = await plugin.ask('post-response', {...reply, text: [text], channels: ['assistant']});
		return (verdict?.patch as {text?: Record<string, string>} | undefined)?.text?.[0] ?? text;
	};
	const streamed = async (pieces: readonly string[]): Promise<string> => {
		let carried: string | undefined;
		const held = holdBack([
			{
				chars: 0,
				overlap,
				async ask(channel, text, final) {
					const given = await plugin.ask('post-response', {...reply, channels: ['assistant'], window: {channel, text, final}, carried});
					carried = (given?.carry as string | undefined) ?? carried;
					return {clear: given?.clear as number | undefined, replacement: (given?.patch as {window?: string} | undefined)?.window};
				},
			},
		]);
		let out = '';
		for (const piece of pieces) out += await held.push(0, piece);
		return out + (await held.finish(0));
	};
	return {whole, streamed};
};

const key = 'ghp_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo';
const guards: Record<string, [config: Record<string, unknown>, said: Record<string, string>, left: Record<string, string>]> = {
	masking: [
		{mask: ['email', 'card', 'iban', 'api-key'], custom: [{name: 'name', words: ['Nora', 'Ada Byron']}]},
		{
			card: 'Card:\n4111 1111 1111 1111\t5555555555554444',
			mail: '\nada@example.com\r\nbob@example.com',
			rené: 'Write to rené@example.com\u0001',
			iban: 'x\nDE89370400440532013000\n',
			name: 'C:\\Nora\\nora\tNora\nNora',
			key: `\n${key}\n`,
		},
		{
			card: 'Card:\n[CARD]\t[CARD]',
			mail: '\n[EMAIL]\r\n[EMAIL]',
			rené: 'Write to [EMAIL]\u0001',
			iban: 'x\n[IBAN]\n',
			name: 'C:\\[NAME][NAME]\t[NAME]\n[NAME]',
			key: '\n[API_KEY]\n',
		},
	],
	secrets: [
		{action: 'mask'},
		{file: `# env\n${key}\nA=1\t${key}`, password: 'password:\tg7#kQ92!xTz\nnext', path: `C:\\new\\${key}`},
		{file: '# env\n[SECRET]\nA=1\t[SECRET]', password: 'password:\t[SECRET]\nnext', path: 'C:\\new\\[SECRET]'},
	],
	'content-rules': [
		{
			phrases: [{name: 'bird', phrases: ['Project Falcon', 'café', 'falcon heavy'], on: ['answer'], action: 'mask'}],
			patterns: [{name: 'ticket', pattern: '\\bT-\\d{3}\\b', on: ['answer'], action: 'mask'}],
		},
		{plan: 'Plans:\nProject\nFalcon\tProject Falcon', ticket: '\nT-123\tT-456', path: 'D:\\falcon heavy\\café', more: '\ncafé'},
		{plan: 'Plans:\n[BIRD]\t[BIRD]', ticket: '\n[TICKET]\t[TICKET]', path: 'D:[BIRD]\\[BIRD]', more: '\n[BIRD]'},
	],
};

const ascii = (json: string): string => json.replace(/[^\0-\x7f]/g, letter => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`);

for (const [name, [config, said, left]] of Object.entries(guards)) {
	test(`what ${name} looks for is found behind an escape of JSON, and JSON stays JSON`, async t => {
		const {whole} = await guard(t, name, config);
		t.deepEqual(JSON.parse(await whole(JSON.stringify(said))), left);
		t.deepEqual(JSON.parse(await whole(ascii(JSON.stringify(said)))), left);
		const within = JSON.parse(await whole(JSON.stringify({text: JSON.stringify(said)}))) as {text: string};
		t.deepEqual(JSON.parse(within.text), left);
	});

	test(`what ${name} looks for is found behind an escape of JSON that a stream cuts anywhere`, async t => {
		const {streamed} = await guard(t, name, config);
		const text = ascii(JSON.stringify(said));
		t.deepEqual(JSON.parse(await streamed([...text])), left, 'one by one');
		for (let at = 1; at < text.length; at++)
			t.deepEqual(JSON.parse(await streamed([text.slice(0, at), text.slice(at)])), left, `cut at ${at}: ${text.slice(0, at)}`);
	});
}

const drive = `C:\\npm_${key.slice(4)}`;
const asItStands: Record<string, Record<string, string>> = {
	masking: {
		[drive]: 'C:[API_KEY]',
		'CORP\\ubeef@example.com, please': 'CORP[EMAIL], please',
		'a\\nb\\\\ubade@example.com': 'a\\nb[EMAIL]',
		'HR\\bsn 111222333': 'HR\\bsn [NL_BSN]',
	},
	secrets: {
		[drive]: 'C:[SECRET]',
		[`C:\\rk_live_${key.slice(4).repeat(20)} and\\n${key}`]: 'C:[SECRET] and\\n[SECRET]',
		'login\\token=g7kQ92xTzB4m; next': 'login\\token=[SECRET]; next',
	},
};

for (const [name, texts] of Object.entries(asItStands)) {
	test(`what ${name} looks for is found where a backslash and its first letters look like an escape, at any cut`, async t => {
		const config = name === 'masking' ? {mask: ['email', 'api-key', 'national-id']} : guards[name]![0];
		const {whole, streamed} = await guard(t, name, config);
		for (const [text, left] of Object.entries(texts)) {
			t.is(await whole(text), left);
			t.is(await streamed([...text]), left, `one by one: ${text}`);
			for (let at = 1; at < Math.min(text.length, 80); at++)
				t.is(await streamed([text.slice(0, at), text.slice(at)]), left, `cut at ${at}: ${text}`);
		}
	});
}

test('a row of backslashes costs no more than other letters, and holds no stream up', async t => {
	for (const [name, [config]] of Object.entries(guards)) {
		const {whole, streamed} = await guard(t, name, config);
		const row = '\\'.repeat(20_000);
		t.is(await whole(row), row);
		const parts = Array.from({length: 20}, () => '\\'.repeat(1_000));
		t.is(await streamed([...parts, `n${key}`.slice(0, 2)]), `${row}ng`);
	}
});

test('letters that are all escapes, however long and deep, do not break a stream off, and a key among them is masked', async t => {
	const {streamed} = await guard(t, 'secrets', {action: 'mask'});
	for (const backslashes of [1, 2, 7, 63]) {
		const escaped = (text: string) =>
			[...text].map(letter => `${'\\'.repeat(backslashes)}u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');
		const row = escaped('abcdefghij'.repeat(80));
		const text = `${row} ${escaped(key)} end`;
		const pieces = text.match(/.{1,400}/g) ?? [];
		t.is(await streamed(pieces), `${row} [SECRET] end`, `${backslashes} backslashes`);
	}
});

const bits = [
	...['\\n', '\\', '\\\\', '\\t', '\\u00e9', '\\u', '\\u0', '\\u0041', '\\r', '\\b', '"', ' ', ':', '=', ',', '\n', 'a', 'n', 'é', 'caf'],
	...['ada@example.com', '4111 1111 1111 1111', 'DE89370400440532013000', key, 'password', 'g7#kQ92!xTz', '10.0.0.1'],
	...['npm_x7Qm2LkP9vRt4WzB8nYc3HdF6sJg1AeU5iKo', 'ubeef@example.com', 'rk_live_51H8xYzAbCdEfGhIjKlMnOpQrStUv', 'token='],
	...['Project', 'Falcon', 'falcon heavy', 'T-123', 'https://evil.example/x'],
];

const isJson = (text: string): boolean => {
	try {
		return typeof JSON.parse(`"${text.replaceAll('"', ' ').replaceAll('\n', ' ')}"`) === 'string';
	} catch {
		// Whether it is a string of JSON is what is asked.
		return false;
	}
};

test('whatever escapes stand among the values, a stream comes out as the whole, and JSON stays JSON', async t => {
	const seed = Date.now() % 1_000_000;
	const {pick, below} = seededRandom(seed);
	for (const [name, [config]] of Object.entries(guards)) {
		const {whole, streamed} = await guard(t, name, config);
		for (let round = 0; round < 60; round += 1) {
			const text = Array.from({length: 3 + below(20)}, () => pick(bits)).join('');
			const pieces: string[] = [];
			for (let at = 0; at < text.length; at += pieces.at(-1)!.length) pieces.push(text.slice(at, at + 1 + below(5)));
			const left = await whole(text);
			t.is(await streamed(pieces), left, `seed ${seed}, ${name}: ${JSON.stringify(pieces)}`);
			t.true(isJson(left) || !isJson(text), `seed ${seed}, ${name}: ${JSON.stringify(text)}`);
		}
	}
});
