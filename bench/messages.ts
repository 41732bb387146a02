export interface Cell {
	connections: number;
	requestKb: number;
	streaming: boolean;
}

export const cellName = ({connections, requestKb, streaming}: Cell) => `${connections}c-${requestKb}k${streaming ? '-stream' : ''}`;

/** Everything the issue asks for; long streams of large requests only once, because the request's size hardly matters to them. */
export const everyCell: Cell[] = [
	...[1, 16, 64, 256].flatMap(connections => [2, 64].map(requestKb => ({connections, requestKb, streaming: false}))),
	...[1, 16, 64, 256].map(connections => ({connections, requestKb: 2, streaming: true})),
	{connections: 64, requestKb: 64, streaming: true},
];

export const quickCells: Cell[] = [2, 64].map(requestKb => ({connections: 64, requestKb, streaming: false}));

export const model = 'gpt-4o-mini';
export const streamedChunks = 50;

const words =
	'the quarterly report shows that the northern depot moved more freight than planned while the harbour stayed closed for repairs and nobody asked why '.split(
		' ',
	);
const contact = ' Write to anna.keller@example.com or call +49 30 901820 about it. ';

function prose(length: number, personal: boolean) {
	let text = personal ? contact : '';
	for (let i = 0; text.length < length; i++) text += `${words[(i * 7) % words.length]} `;
	return text.slice(0, length);
}

/** A chat request of about that many KB: a system prompt and turns of at most 2 KB each. */
export function chatBody(kilobytes: number, streaming: boolean, personal: boolean) {
	const room = kilobytes * 1024 - 260;
	const turns = Math.ceil(room / 2100);
	const turn = Math.floor(room / turns) - 40;
	const said = Array.from({length: turns}, (_, i) => ({role: i % 2 ? 'assistant' : 'user', content: prose(turn, personal)}));
	return JSON.stringify({
		model,
		...(streaming ? {stream: true, stream_options: {include_usage: true}} : {}),
		max_tokens: 400,
		messages: [{role: 'system', content: 'You answer in short sentences.'}, ...said],
	});
}

export function rawRequest(port: number, headers: Record<string, string>, body: string) {
	const all = {host: `127.0.0.1:${port}`, 'content-type': 'application/json', 'content-length': `${Buffer.byteLength(body)}`, ...headers};
	const head = Object.entries(all)
		.map(([name, value]) => `${name}: ${value}\r\n`)
		.join('');
	return `POST /v1/chat/completions HTTP/1.1\r\n${head}\r\n${body}`;
}

const usage = {prompt_tokens: 512, completion_tokens: 200, total_tokens: 712, prompt_tokens_details: {cached_tokens: 0}};
const envelope = {id: 'chatcmpl-bench', created: 1_760_000_000, model};

/** A whole HTTP answer of 1.5 KB. The mark `#1 ` in it shows that it arrived. */
export function jsonAnswer() {
	const message = {role: 'assistant', content: `#1 ${prose(1140, false)}`, refusal: null};
	const body = JSON.stringify({
		...envelope,
		object: 'chat.completion',
		choices: [{index: 0, message, logprobs: null, finish_reason: 'stop'}],
		usage,
	});
	return `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
}

/** A whole streamed HTTP answer in parts, one mark in each of its 50 deltas: lost or swapped ones show. */
export function streamedAnswer() {
	const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ncache-control: no-cache\r\ntransfer-encoding: chunked\r\n\r\n';
	const chunk = (text: string) => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;
	const event = (delta: object, more: object = {}) => {
		const choices = [{index: 0, delta, logprobs: null, finish_reason: null, ...more}];
		return chunk(`data: ${JSON.stringify({...envelope, object: 'chat.completion.chunk', choices})}\n\n`);
	};
	const deltas = Array.from({length: streamedChunks}, (_, i) =>
		event({...(i ? {} : {role: 'assistant'}), content: `#${i + 1} ${prose(20, false)}`}),
	);
	const last = {...envelope, object: 'chat.completion.chunk', choices: [], usage};
	const end = [event({}, {finish_reason: 'stop'}), chunk(`data: ${JSON.stringify(last)}\n\n`), chunk('data: [DONE]\n\n'), '0\r\n\r\n'];
	return [head + deltas[0], ...deltas.slice(1), end.join('')];
}
