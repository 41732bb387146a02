/**
 * What travels between the gateway and a plugin host: a length (u32, little-endian, of what follows), one ASCII letter
 * for the kind, and text in UTF-8.
 *
 * From the gateway: `B` our own scripts, `P` a plugin, `L` load them all now, `R` a run's members, `Q` ask, `T` act, `D` a host
 * call is done, `C` kv changed. `P`, `L`, `Q`, `T` and `D` are work: the host acknowledges each, in order, when nothing of
 * a plugin's runs any more on its account.
 *
 * From the host: `L` what the plugins say of themselves, `A` answer and acknowledgement in one, `a` an answer to what was
 * acknowledged before, `K` acknowledgement, `M` how far a careful ask or a load has come, `H` begin a host call, `S` a host
 * call without an answer (log, metrics), `X` a plugin's isolate was lost.
 */
export type ToHost = 'B' | 'P' | 'L' | 'R' | 'Q' | 'T' | 'D' | 'C';
export type FromHost = 'L' | 'A' | 'a' | 'K' | 'M' | 'H' | 'S' | 'X';

/** A plugin as its host needs it; `code` of a wasm module is base64. */
export type Guest = {
	name: string;
	runtime: 'isolate' | 'wasm';
	code: string;
	/** JSON: config, declared fields by hook, answerChars. */
	setup: string;
	limits: {memoryMb: number; cpuMs: number; timeoutMs: number; actionMs: number; answerChars: number};
	capabilities: readonly string[];
	secrets: Readonly<Record<string, string>>;
	kv: Readonly<Record<string, string>>;
};
export type Scripts = {guest: string; dispatcher: string};
export type RunBody = {id: number; hook: string; everyone: boolean; members: {plugin: string; positions: readonly number[]}[]};
/** `to` is the place after the last; `careful` asks to be told how far it has come; a missing value is `null`. */
export type AskBody = [call: number, run: number, from: number, to: number, careful: boolean, values: (string | number | boolean | null)[]];
export type ActBody = [call: number, plugin: string, action: string, input: string, caller: string];
export type DoneBody = [plugin: string, start: number, json: string];
export type ChangeBody = [plugin: string, entries: Record<string, string | null>];
export type StartBody = [plugin: string, start: number, operation: string, argument: string];
export type SayBody = [plugin: string, operation: string, argument: string];
export type LostBody = [plugin: string, reason: string];

/** Largest frame in either direction; answers have a limit of their own far below. */
export const frameBytes = 80_000_000;

const header = 5;

export const frame = (kind: ToHost | FromHost, text: string): Buffer => {
	const length = Buffer.byteLength(text);
	const bytes = Buffer.allocUnsafe(header + length);
	bytes.writeUInt32LE(length + 1, 0);
	bytes[4] = kind.charCodeAt(0);
	bytes.write(text, header);
	return bytes;
};

/** Cuts a byte stream into frames; after `onGarbage` it reads no further. */
export const frameReader = (onFrame: (kind: string, text: string) => void, onGarbage: (why: string) => void): ((chunk: Buffer) => void) => {
	let kept: Buffer[] = [];
	let keptBytes = 0;
	let wanted = header;
	let broken = false;

	/** Reads all whole frames of `bytes` and says where the rest begins. */
	const readWhole = (bytes: Buffer): number => {
		let at = 0;
		while (bytes.length - at >= header && !broken) {
			const length = bytes.readUInt32LE(at);
			if (length < 1 || length > frameBytes) {
				broken = true;
				onGarbage(`a frame of ${length} bytes`);
				break;
			}
			wanted = 4 + length;
			if (bytes.length - at < wanted) return at;
			onFrame(String.fromCharCode(bytes[at + 4]!), bytes.toString('utf8', at + header, at + wanted));
			at += wanted;
			wanted = header;
		}
		return at;
	};

	return chunk => {
		if (broken) return;
		if (keptBytes > 0) {
			kept.push(chunk);
			keptBytes += chunk.length;
			// A large frame is joined once, not once per chunk.
			if (keptBytes < wanted) return;
			chunk = Buffer.concat(kept, keptBytes);
		}
		const rest = chunk.subarray(readWhole(chunk));
		kept = rest.length > 0 ? [rest] : [];
		keptBytes = rest.length;
	};
};
