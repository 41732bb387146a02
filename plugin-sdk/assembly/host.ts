// The three whole-copy functions that Sallyport lends to every module: see docs/wasm-plugins.md.

// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@external('sallyport', 'input_length')
declare function inputLength(): i32;

// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@external('sallyport', 'read_input')
declare function readInput(address: usize): void;

// @ts-ignore: AssemblyScript's decorators are not TypeScript's
@external('sallyport', 'write_output')
declare function writeOutput(address: usize, length: i32): void;

/** The input of this call. */
export function input(): string {
	const bytes = new ArrayBuffer(inputLength());
	readInput(changetype<usize>(bytes));
	return String.UTF8.decode(bytes);
}

/** Answers this call. */
export function answer(json: string): void {
	const bytes = String.UTF8.encode(json);
	writeOutput(changetype<usize>(bytes), bytes.byteLength);
}

/** What AssemblyScript calls before it gives up: the trap itself says enough. */
export function abort(_message: string | null, _file: string | null, _line: u32, _column: u32): void {
	unreachable();
}
