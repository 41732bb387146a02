import test from 'ava';
import {type SseEvent, sseParser, sseTap} from '../core/upstream/sse.ts';

const random = (seed: number) => () => {
	seed = (seed * 1_664_525 + 1_013_904_223) >>> 0;
	return seed / 2 ** 32;
};

type Seen = {events: {event: string | undefined; data: string}[]; bytes: Buffer; end: SseEvent | undefined};

const parse = (chunks: readonly Buffer[]): Seen => {
	const events: Seen['events'] = [];
	const raws: Buffer[] = [];
	const parser = sseParser(
		({raw, event, data}) => {
			raws.push(raw);
			events.push({event, data});
		},
		{onSkipped: raw => raws.push(raw)},
	);
	for (const chunk of chunks) parser.push(chunk);
	const end = parser.end();
	return {events, bytes: Buffer.concat(raws), end};
};

const one = (text: string | Buffer): Seen => parse([Buffer.from(text as string)]);

/** The standard's algorithm, literally, over the whole stream at once. */
const reference = (stream: Buffer): Seen['events'] => {
	const events: Seen['events'] = [];
	let data = '';
	let event = '';
	const lines = new TextDecoder().decode(stream).split(/\r\n|\r|\n/);
	for (const line of lines.slice(0, -1)) {
		if (line === '') {
			if (data !== '') events.push({event: event || undefined, data: data.slice(0, -1)});
			data = '';
			event = '';
		} else if (!line.startsWith(':')) {
			const [, field, value = ''] = /^([^:]*)(?:: ?(.*))?$/su.exec(line) ?? [];
			if (field === 'data') data += `${value}\n`;
			if (field === 'event') event = value;
		}
	}
	return events;
};

test('a line of data and a blank line are an event without a name', t => {
	t.deepEqual(one('data: {"a":1}\n\n').events, [{event: undefined, data: '{"a":1}'}]);
});

test('lines may end with LF, CR or CRLF, mixed in one stream', t => {
	t.deepEqual(
		one('data: a\n\ndata: b\r\n\r\ndata: c\r\rdata: d\r\n\ndata: e\n\r\n').events.map(({data}) => data),
		['a', 'b', 'c', 'd', 'e'],
	);
});

test('several lines of data are joined by a line feed, and only the first space after the colon is left out', t => {
	t.deepEqual(one('data: a\ndata:b\ndata\ndata:  c\n\n').events[0]?.data, 'a\nb\n\n c');
	t.deepEqual(
		one('data\n\ndata\ndata\n\ndata:').events.map(({data}) => data),
		['', '\n'],
		'the example of the standard',
	);
});

test('the last name wins, comments and unknown fields are no data, and an event without data is none', t => {
	const seen = one(': hello\nevent: x\nid: 7\nevent: y\nretry: 3\ndata: 1\nfoo: bar\n\nevent: lonely\n\n: ping\n\n');
	t.deepEqual(seen.events, [{event: 'y', data: '1'}]);
});

test('a byte order mark before the first event is not part of it, one before the second is', t => {
	t.deepEqual(one('\ufeffdata: a\n\n\ufeffdata: b\n\n').events, [{event: undefined, data: 'a'}]);
});

test('an event that the stream breaks off in is reported at the end, not as an event', t => {
	const seen = one('data: a\n\nevent: b\ndata: {"half"');
	t.is(seen.events.length, 1);
	t.like(seen.end, {event: 'b', data: '{"half"'});
	t.is(one('data: a\n\n: only a comment').end, undefined);
	t.is(one('data: [DONE]\n').end?.data, '[DONE]');
});

test('an event larger than the bound is a typed error, in one piece or in many', t => {
	const small = () => sseParser(() => {}, {maxEventBytes: 20});
	t.throws(() => small().push(Buffer.from(`data: ${'x'.repeat(30)}\n\n`)), {code: 'upstream_too_large'});
	const parser = small();
	t.throws(() => Array.from('data: '.padEnd(40, 'x')).forEach(byte => void parser.push(Buffer.from(byte))), {code: 'upstream_too_large'});
	const many = small();
	t.notThrows(() => many.push(Buffer.from('data: 123456\n\n'.repeat(1_000))));
});

const trickyStream = Buffer.from(
	'\ufeff: hi\r\n\r\nevent: message_start\r\ndata: {"text":"grüße 😀"}\r\n\r\ndata: a\ndata: b\n\n\n\ndata: €\r\rid: 1\n\ndata: 漢字\n\r\ndata: [DONE]\n\n',
);

test('every cut into two gives the same events, and every byte back', t => {
	const expected = reference(trickyStream);
	t.is(expected.length, 5);
	for (let at = 0; at <= trickyStream.length; at++) {
		const seen = parse([trickyStream.subarray(0, at), trickyStream.subarray(at)]);
		t.deepEqual(seen.events, expected, `cut at ${at}`);
		t.deepEqual(Buffer.concat([seen.bytes, seen.end?.raw ?? Buffer.alloc(0)]), trickyStream, `cut at ${at}`);
	}
	t.deepEqual(parse([...trickyStream].map(byte => Buffer.of(byte))).events, expected);
});

const alphabet = [
	'data: ',
	'data:',
	'data',
	'event: ',
	':',
	' ',
	'x',
	'ü',
	'😀',
	'\n',
	'\r',
	'\r\n',
	'\n\n',
	'\r\n\r\n',
	'\u0000',
	'\ufeff',
];

test('streams of random pieces parse as the standard says, in random cuts', t => {
	for (let seed = 1; seed <= 2_000; seed++) {
		const next = random(seed);
		const stream = Buffer.from(Array.from({length: 30}, () => alphabet[Math.floor(next() * alphabet.length)]).join(''));
		const chunks: Buffer[] = [];
		for (let at = 0; at < stream.length; ) {
			const size = 1 + Math.floor(next() * 12);
			chunks.push(stream.subarray(at, at + size));
			at += size;
		}
		t.deepEqual(parse(chunks).events, reference(stream), `seed ${seed}: ${JSON.stringify(stream.toString())}`);
	}
});

test('invalid UTF-8 is replaced, never thrown', t => {
	t.is(one(Buffer.concat([Buffer.from('data: a'), Buffer.of(0xff, 0xc3), Buffer.from('\n\n')])).events[0]?.data, 'a\ufffd\ufffd');
});

test('a tap sees every marked event in any cut, and no other', t => {
	const stream = Buffer.from(
		'data: {"delta":"a"}\n\ndata: {"usage":{"total":3}}\r\n\r\n: ping\n\ndata: {"delta":"b"}\n\nevent: e\ndata: {"usage":{\ndata: "total":4}}\n\ndata: [DONE]\n\n',
	);
	const wanted = ['{"usage":{"total":3}}', '{"usage":{\n"total":4}}', '[DONE]'];
	const tapped = (chunks: readonly Buffer[]): string[] => {
		const seen: string[] = [];
		const tap = sseTap(['"usage":{', '[DONE]'], ({data}) => seen.push(data));
		for (const chunk of chunks) tap.push(chunk);
		t.is(tap.end(), undefined);
		return seen;
	};
	t.deepEqual(tapped([stream]), wanted);
	t.deepEqual(tapped([...stream].map(byte => Buffer.of(byte))), wanted);
	for (let a = 0; a <= stream.length; a++) {
		t.deepEqual(tapped([stream.subarray(0, a), stream.subarray(a)]), wanted, `cut at ${a}`);
		for (let b = a; b <= Math.min(stream.length, a + 12); b++) {
			t.deepEqual(tapped([stream.subarray(0, a), stream.subarray(a, b), stream.subarray(b)]), wanted, `cut at ${a} and ${b}`);
		}
	}
});
