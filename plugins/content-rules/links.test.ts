import test from 'ava';
import {seededRandom} from '../../test/helpers/seeded-random.ts';
import {counted, type Scanner, scanAll} from './hits.ts';
import {openLinks} from './links.ts';
import {judgeTarget} from './targets.ts';

const found = (scan: Scanner, text: string): string[] =>
	counted(scanAll([scan], text, 0, true).found).map(({start, end}) => text.slice(start, end));

const allowed = {hosts: ['good.example', '*.good.example'], schemes: ['https', 'http', 'mailto']};
const links = openLinks({links: {rule: 0, allowed}});
const images = openLinks({images: {rule: 0, allowed: {hosts: ['pictures.example'], schemes: ['https']}}});

for (const text of [
	'see https://evil.example/x now',
	'HTTPS://EVIL.EXAMPLE',
	'www.evil.example',
	'[x](https://evil.example/(a)b)',
	'[x]( <https://evil.example> "title")',
	'[a [nested] b](//evil.example)',
	'[x](\\\\evil.example)',
	'[x](/\\evil.example)',
	'[x](javascript:alert(1))',
	'[x](JaVaScRiPt:alert(1))',
	'[x](javascript&colon;alert(1))',
	'[x](&#106;avascript:alert(1))',
	'[x](javascript\\:alert(1))',
	'[x](data:text/html,hi)',
	'[x](vbscript:x)',
	'[id]: https://evil.example',
	'[id]: //evil.example',
	'<https://evil.example>',
	'<javascript:alert(1)>',
	'<a href="https://evil.example">x</a>',
	"<A HREF = 'ja\nvascript:alert(1)'>x</A>",
	'<a href=//evil.example>x',
	'<a href="&#104;ttps://evil.example">',
	'<a title="a>b" href="//evil.example">',
	'<form action="//evil.example">',
	'<meta http-equiv=refresh content="0;url=//evil.example">',
	'<a href="//evil.example"',
	'&#x68;ttps://evil.example/',
	'https&#58;//evil.example/',
	'https://good.example@evil.example/',
	'https://good.example:x@evil.example/',
	'https://evil.example\\@good.example/',
	'https://evil.example#@good.example',
	'https://good.example.evil.example/',
	'https://evilgood.example/',
	'https://xn--good-example-abc.example/',
	'https://gооd.example/',
	'https://good.example%2eevil.example/',
	'https://good\u3002evil.example',
	'[x](https:evil.example)',
	'[x](https:/evil.example)',
	'[x](https:///evil.example)',
	`[x](${' '.repeat(300)}//evil.example)`,
	'https://2130706433/',
	'https://[::1]/',
	`https://${'a'.repeat(400)}@good.example/`,
	'https://good.example/?next=https://evil.example',
])
	test(`links: ${JSON.stringify(text).slice(0, 70)} leads to where nobody knows`, t => {
		t.true(found(links, text).length > 0);
	});

for (const text of [
	'see https://good.example/x, and (https://docs.good.example).',
	'**https://good.example** | https://good.example/a?b=c#d',
	'HTTP://GOOD.EXAMPLE:8080/',
	'[x](https://good.example/a_(b) "title") [y](/relative) [z](#part) [w](page.html)',
	'[mail](mailto:ada@good.example) <https://good.example>',
	'<a href="/x" title="it\'s"> <a href="https://a.b.good.example">',
	'[1]: Smith: a book. x[0]: value',
	'if (a < b && c > d) { x[i](y) } // a comment, http: and www. alone',
	'List<String> names; i<n; a://b',
	'`good.example` has no scheme',
])
	test(`links: ${JSON.stringify(text).slice(0, 70)} is left alone`, t => {
		t.deepEqual(found(links, text), []);
	});

for (const text of [
	'![x](https://evil.example/?q=secret)',
	'![x](//evil.example/a.png)',
	'![a [b] c](https://evil.example/a.png)',
	'[![x](https://evil.example/a.png)](https://pictures.example)',
	'![x][id]\n\n[id]: https://evil.example/a.png',
	'<img src="https://evil.example/a.png">',
	'<IMG SRC=https://evil.example/a.png',
	'<img srcset="https://pictures.example/a 1x, https://evil.example/b 2x">',
	'<img/src=//evil.example/a>',
	'<img alt="x"src=//evil.example/a>',
	'<video poster=https://evil.example/a></video>',
	'<div style="background:url(//evil.example/a)">',
	'a { background: URL( "https://evil.example/a" ) }',
	'![x](data:image/png;base64,AAAA)',
	'![x](http://pictures.example/a.png)',
	'!\\[x](https://evil.example/a.png)',
	'<link rel=stylesheet href=//evil.example/a.css>',
])
	test(`images: ${JSON.stringify(text).slice(0, 70)} is loaded from where nobody knows`, t => {
		t.true(found(images, text).length > 0);
	});

test('an image rule leaves links alone, and images from where it knows', t => {
	t.deepEqual(
		found(images, '![x](https://pictures.example/a.png) [x](https://evil.example) https://evil.example <a href="//evil.example">'),
		[],
	);
});

test('tags that run or load are found, and with "all" every tag', t => {
	const active = openLinks({html: {rule: 0, tags: 'active'}});
	const all = openLinks({html: {rule: 0, tags: 'all'}});
	const bad = [
		'<script>',
		'<SCRIPT SRC=x>',
		'</script>',
		'<b onclick=alert(1)>',
		'<x/onmouseover=alert(1)>',
		'<svg onload=alert(1)>',
		'<iframe srcdoc="x">',
		'&lt;script&gt;',
		'<my-element>',
		'<p style="position:fixed">',
		'<b title="a>b" onclick="x">',
	];
	for (const text of bad) t.deepEqual(found(active, `a ${text} b`), [text]);
	for (const text of ['<b>', '</i>', '<br/>', '<p class="x">']) {
		t.deepEqual(found(active, `a ${text} b`), []);
		t.deepEqual(found(all, `a ${text} b`), [text]);
	}
	for (const text of ['1 < 2 > 0', '<- x ->', 'a<=b', '<3', '<https://good.example>']) t.deepEqual(found(all, text), [], text);
	t.deepEqual(found(active, '<https://good.example>'), []);
});

test('what counts as allowed is not where a browser would go elsewhere', t => {
	const seed = 34;
	const random = seededRandom(seed);
	const base = 'https://page.example/';
	const parts = [
		...[
			'https:',
			'HTTP:',
			'http:',
			'ftp:',
			'mailto:',
			'javascript:',
			'data:',
			'ws:',
			'//',
			'/',
			'\\',
			'\\\\',
			':',
			'@',
			'?',
			'#',
			'.',
			'..',
		],
		...[
			'good.example',
			'evil.example',
			'docs.good.example',
			'good',
			'example',
			'%2e',
			'%40',
			'\t',
			'\n',
			' ',
			'\u0000',
			'\u3002',
			'\uff0e',
			'xn--',
			'-',
		],
		...['[::1]', '127.1', '0x7f', ':80', ':0', 'a', 'ß', '\u00ad', '\u200b', '\u212a', 'é', '..', ';', ',', "'", '&', '=', '|', '^', '%'],
	];
	const listed = (host: string) => /^(?:.+\.)?good\.example\.?$/.test(host);
	let judged = 0;
	for (let round = 0; round < 60_000; round++) {
		const written = Array.from({length: 1 + random.below(7)}, () => random.pick(parts)).join('');
		if (judgeTarget(written, true, allowed) !== 'allowed') continue;
		let url: URL;
		try {
			url = new URL(written, base);
		} catch {
			continue;
		}
		judged++;
		const fine = url.protocol === 'mailto:' || url.href === url.protocol || url.host === 'page.example' || listed(url.hostname);
		t.true(fine, `seed ${seed}, round ${round}: ${JSON.stringify(written)} goes to ${url.href}`);
	}
	t.true(judged > 5_000, `${judged}`);
});
