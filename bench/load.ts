import {readFileSync} from 'node:fs';
import {connect, type Socket} from 'node:net';

/** Stands in for load.c where there is no C compiler: same arguments, same line of JSON, several times the cost. */
const [port, connections, warmMs, windowMs, requestFile = '', marks] = process.argv.slice(2);
const request = readFileSync(requestFile);
const drainMs = 15_000;
const mostErrors = 200;
const now = () => Number(process.hrtime.bigint() / 1000n);

const latency: number[] = [];
const firstByte: number[] = [];
let bodyBytes = 0;
let errors = 0;
let firstError = '';
let busy = 0;
let asking = false;
let counting = false;
let idle = () => {};

/** The body's end, or -1 when there is more to come. */
function bodyEnd(answer: string, from: number) {
	const length = /\r\ncontent-length: *(\d+)/i.exec(answer.slice(0, from))?.[1];
	if (length) return answer.length >= from + Number(length) ? from + Number(length) : -1;
	return answer.endsWith('\r\n0\r\n\r\n') ? answer.length : -1;
}

function fault(answer: string, from: number) {
	if (!/^HTTP\/1.1 200 /.test(answer)) return `refused: ${answer.slice(9, 12)} ${answer.slice(from, from + 300)}`;
	const found = Array.from(answer.matchAll(/#(\d+)/g), match => Number(match[1]));
	return found.length === Number(marks) && found.every((mark, i) => mark === i + 1) ? '' : 'lost or reordered text';
}

class Connection {
	socket!: Socket;
	answer = '';
	startedUs = 0;
	firstByteUs = 0;

	constructor() {
		this.dial();
	}

	dial() {
		const socket = connect({port: Number(port), host: '127.0.0.1', noDelay: true});
		socket.on('data', bytes => this.received(bytes.toString('latin1')));
		socket.on('error', () => socket.destroy());
		socket.on('close', () => {
			if (socket !== this.socket) return;
			this.dial();
			if (this.startedUs) this.ended('connection closed');
		});
		this.socket = socket;
	}

	ask() {
		busy++;
		this.answer = '';
		this.firstByteUs = 0;
		this.startedUs = now();
		this.socket.write(request);
	}

	received(text: string) {
		this.firstByteUs ||= now();
		this.answer += text;
		const from = this.answer.indexOf('\r\n\r\n') + 4;
		if (from === 3 || bodyEnd(this.answer, from) < 0) return;
		this.ended(fault(this.answer, from));
	}

	ended(why: string) {
		if (!this.startedUs) return;
		busy--;
		if (why) {
			errors++;
			firstError ||= why;
			if (errors > mostErrors) asking = false;
		} else if (counting) {
			latency.push(now() - this.startedUs);
			firstByte.push(this.firstByteUs - this.startedUs);
			bodyBytes += this.answer.length;
		}
		this.startedUs = 0;
		if (asking) return this.ask();
		if (busy === 0) idle();
	}
}

const all = Array.from({length: Number(connections)}, () => new Connection());

async function load(ms: number) {
	asking = errors <= mostErrors;
	if (!asking) return;
	const drained = new Promise<void>(resolve => {
		idle = resolve;
	});
	for (const connection of all) connection.ask();
	const stop = setTimeout(() => {
		asking = false;
	}, ms);
	const late = setTimeout(() => {
		errors += busy;
		firstError ||= 'no answer in time';
		idle();
	}, ms + drainMs);
	await drained;
	clearTimeout(stop);
	clearTimeout(late);
}

await load(Number(warmMs));
console.log('warm');
await new Promise(resolve => process.stdin.once('data', resolve));
counting = true;
const cpu = process.cpuUsage();
const started = now();
await load(Number(windowMs));
const ms = (now() - started) / 1000;
const {user, system} = process.cpuUsage(cpu);
latency.sort((a, b) => a - b);
firstByte.sort((a, b) => a - b);
const at = (sorted: number[], share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? 0;
console.log(
	JSON.stringify({
		requests: latency.length,
		errors,
		firstError,
		ms,
		p50Us: at(latency, 0.5),
		p99Us: at(latency, 0.99),
		firstByteP50Us: at(firstByte, 0.5),
		bodyBytes,
		cpuUs: user + system,
	}),
);
process.exit();
