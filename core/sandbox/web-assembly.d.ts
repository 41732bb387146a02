/** The little of WebAssembly that the core touches; Node's types have none of it and the DOM's have everything. */
declare namespace WebAssembly {
	type ImportDescriptor = {module: string; name: string; kind: string};
	type ExportDescriptor = {name: string; kind: string};

	class Module {
		constructor(bytes: Uint8Array<ArrayBuffer>);
		static imports(module: Module): ImportDescriptor[];
		static exports(module: Module): ExportDescriptor[];
	}
	class Memory {
		constructor(descriptor: {initial: number; maximum?: number});
		readonly buffer: ArrayBuffer;
	}
	class Instance {
		readonly exports: Readonly<Record<string, unknown>>;
	}
}
