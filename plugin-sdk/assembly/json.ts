/** A JSON value; only what its kind says is set. */
export class Json {
	text: string = '';
	yes: bool = false;
	number: f64 = 0;
	items: Array<Json> = [];
	entries: Map<string, Json> = new Map();

	get(name: string): Json | null {
		return this.entries.has(name) ? this.entries.get(name) : null;
	}
}

const deepest = 100;

// The few characters that JSON's grammar is made of.
const quote = 0x22;
const comma = 0x2c;
const colon = 0x3a;
const openList = 0x5b;
const backslash = 0x5c;
const closeList = 0x5d;
const openObject = 0x7b;
const closeObject = 0x7d;

/** A unit inside the text; charCodeAt would look whether it is. */
// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@inline
function unitAt(text: string, at: i32): i32 {
	return i32(load<u16>(changetype<usize>(text) + (usize(at) << 1)));
}

class Reader {
	private at: i32 = 0;
	constructor(private source: string) {}

	private peek(): i32 {
		while (this.at < this.source.length && this.source.charCodeAt(this.at) <= 0x20) this.at++;
		assert(this.at < this.source.length, 'the input ends too early');
		return this.source.charCodeAt(this.at);
	}

	/** Reads `closing`, or what separates it from another item. */
	private ends(closing: i32): bool {
		const unit = this.peek();
		assert(unit == closing || unit == comma, 'the input is not JSON');
		this.at++;
		return unit == closing;
	}

	value(depth: i32): Json {
		assert(depth < deepest, 'the input is nested too deeply');
		const json = new Json();
		const unit = this.peek();
		if (unit == quote) json.text = this.string();
		else if (unit == openList) this.list(json, depth);
		else if (unit == openObject) this.object(json, depth);
		else this.literal(json);
		return json;
	}

	private list(json: Json, depth: i32): void {
		this.at++;
		if (this.peek() == closeList) {
			this.at++;
			return;
		}
		do json.items.push(this.value(depth + 1));
		while (!this.ends(closeList));
	}

	private object(json: Json, depth: i32): void {
		this.at++;
		if (this.peek() == closeObject) {
			this.at++;
			return;
		}
		do {
			assert(this.peek() == quote, 'the input is not JSON');
			const name = this.string();
			assert(this.peek() == colon, 'the input is not JSON');
			this.at++;
			json.entries.set(name, this.value(depth + 1));
		} while (!this.ends(closeObject));
	}

	/** A number, true, false or null. */
	private literal(json: Json): void {
		const start = this.at;
		while (this.at < this.source.length) {
			const unit = this.source.charCodeAt(this.at);
			if (unit == comma || unit == closeList || unit == closeObject || unit <= 0x20) break;
			this.at++;
		}
		const literal = this.source.slice(start, this.at);
		json.yes = literal == 'true';
		if (literal.charCodeAt(0) <= 0x39) json.number = parseFloat(literal);
	}

	/** Where the string that begins at `from` ends. */
	private closing(from: i32): i32 {
		const source = this.source;
		for (let at = from; at < source.length; at++) {
			const unit = unitAt(source, at);
			if (unit == quote) return at;
			if (unit == backslash) at++;
		}
		assert(false, 'the input ends inside a string');
		return -1;
	}

	private string(): string {
		const source = this.source;
		const from = this.at + 1;
		const end = this.closing(from);
		this.at = end + 1;
		const units = new StaticArray<u16>(end - from);
		let length = 0;
		for (let at = from; at < end; at++) {
			let unit = unitAt(source, at);
			if (unit == backslash) {
				unit = source.charCodeAt(++at);
				if (unit == 0x75) {
					unit = i32(parseInt(source.slice(at + 1, at + 5), 16));
					at += 4;
				} else unit = control(unit);
			}
			unchecked((units[length++] = u16(unit)));
		}
		return String.UTF16.decodeUnsafe(changetype<usize>(units), length << 1);
	}
}

/** What the letter after a backslash stands for. */
function control(unit: i32): i32 {
	if (unit == 0x62) return 0x08;
	if (unit == 0x66) return 0x0c;
	if (unit == 0x6e) return 0x0a;
	if (unit == 0x72) return 0x0d;
	return unit == 0x74 ? 0x09 : unit;
}

/** Reads JSON; traps on what is none. */
export function parse(source: string): Json {
	return new Reader(source).value(0);
}

function isLone(text: string, at: i32): bool {
	const unit = text.charCodeAt(at) & 0xfc00;
	if (unit == 0xd800) return at + 1 == text.length || (text.charCodeAt(at + 1) & 0xfc00) != 0xdc00;
	return unit == 0xdc00 && (at == 0 || (text.charCodeAt(at - 1) & 0xfc00) != 0xd800);
}

/** A string as JSON; half a surrogate pair, which UTF-8 cannot hold, is escaped. */
export function quoted(text: string): string {
	const parts: Array<string> = [];
	let from = 0;
	for (let at = 0; at < text.length; at++) {
		const unit = text.charCodeAt(at);
		if (unit >= 0x20 && unit != quote && unit != backslash && !isLone(text, at)) continue;
		parts.push(text.slice(from, at));
		parts.push('\\u' + unit.toString(16).padStart(4, '0'));
		from = at + 1;
	}
	parts.push(text.slice(from));
	return '"' + parts.join('') + '"';
}
