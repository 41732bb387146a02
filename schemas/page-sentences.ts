import {readFileSync} from 'node:fs';
import * as acorn from 'acorn';
import {stripTypes} from '../core/config/source.ts';

/** The comments of a schema by the path of what they tell of: `limits.bodyMb`, `plugins[].use`, `providers.<name>.key`; `''` is the schema itself. */
export type Sentences = ReadonlyMap<string, string>;

type Module = {
	url: URL;
	text: string;
	values: Map<string, {node: acorn.AnyNode; start: number}>;
	imports: Map<string, {from: URL; name: string}>;
};

const modules = new Map<string, Module>();

const moduleAt = (url: URL): Module => {
	const known = modules.get(url.href);
	if (known) return known;
	const text = stripTypes(readFileSync(url, 'utf8'));
	const made: Module = {url, text, values: new Map(), imports: new Map()};
	modules.set(url.href, made);
	for (const outer of acorn.parse(text, {ecmaVersion: 'latest', sourceType: 'module'}).body) {
		if (outer.type === 'ImportDeclaration' && String(outer.source.value).startsWith('.')) {
			const from = new URL(String(outer.source.value), url);
			for (const one of outer.specifiers) {
				const name = one.type === 'ImportSpecifier' && one.imported.type === 'Identifier' ? one.imported.name : '*';
				made.imports.set(one.local.name, {from, name});
			}
		}
		const inner = outer.type === 'ExportNamedDeclaration' ? outer.declaration : outer;
		if (inner?.type !== 'VariableDeclaration') continue;
		for (const {id, init} of inner.declarations)
			if (id.type === 'Identifier' && init) made.values.set(id.name, {node: init, start: outer.start});
	}
	return made;
};

/** What the comment says that ends where `start` begins. */
const commentBefore = ({text}: Module, start: number): string | undefined => {
	const before = text.slice(0, start).trimEnd();
	if (!before.endsWith('*/')) return undefined;
	const begin = before.lastIndexOf('/*');
	if (!before.startsWith('/**', begin)) return undefined;
	return before
		.slice(begin + 3, -2)
		.split('\n')
		.map(line => line.replace(/^\s*\*/, '').trim())
		.join(' ')
		.trim();
};

const keyOf = ({key}: acorn.Property): string => (key.type === 'Identifier' ? key.name : String((key as acorn.Literal).value));

const isRecord = (method: string): boolean => method === 'record' || method === 'partialRecord';

/**
 * Reads the comments of the schema `name` in `file` of this folder, and of all that it is made of. What has none of its own and is another
 * schema by name takes that one's.
 */
export const sentencesOf = (file: string, name: string): Sentences => {
	const said = new Map<string, string>();
	const note = (path: string, sentence: string | undefined): void => {
		if (sentence && !said.has(path)) said.set(path, sentence);
	};

	/** `isIt`: it is what stands at `path`, and no part of it. */
	type At = {module: Module; path: string; isIt: boolean};

	const named = (local: string, {module, path, isIt}: At): void => {
		const own = module.values.get(local);
		if (own) {
			if (isIt) note(path, commentBefore(module, own.start));
			visit(own.node, {module, path, isIt});
		}
		const there = module.imports.get(local);
		if (there) named(there.name, {module: moduleAt(there.from), path, isIt});
	};

	const made = (method: string, [first, second]: acorn.AnyNode[], {module, path}: At): void => {
		if (isRecord(method)) visit(second, {module, path: `${path}.<name>`, isIt: true});
		else if (method === 'array') visit(first, {module, path: `${path}[]`, isIt: true});
		else visit(method === 'discriminatedUnion' ? second : first, {module, path, isIt: false});
	};

	const called = ({callee, arguments: given}: acorn.CallExpression, at: At): void => {
		if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return;
		const {object, property} = callee;
		if (object.type === 'Identifier' && object.name === 'z') made(property.name, given, at);
		else {
			visit(object, at);
			if (property.name === 'extend') visit(given[0], at);
		}
	};

	const filled = ({properties}: acorn.ObjectExpression, {module, path}: At): void => {
		for (const property of properties) {
			if (property.type === 'SpreadElement') visit(property.argument, {module, path, isIt: false});
			else {
				const inner = path === '' ? keyOf(property) : `${path}.${keyOf(property)}`;
				note(inner, commentBefore(module, property.start));
				visit(property.value, {module, path: inner, isIt: true});
			}
		}
	};

	const visit = (node: acorn.AnyNode | undefined, at: At): void => {
		if (node?.type === 'Identifier') named(node.name, at);
		if (node?.type === 'CallExpression') called(node, at);
		if (node?.type === 'ObjectExpression') filled(node, at);
		if (node?.type === 'ArrayExpression') for (const one of node.elements) if (one) visit(one, {...at, isIt: false});
		if (node?.type !== 'MemberExpression' || node.object.type !== 'Identifier' || node.property.type !== 'Identifier') return;
		const space = at.module.imports.get(node.object.name);
		if (space?.name === '*') named(node.property.name, {...at, module: moduleAt(space.from)});
	};

	named(name, {module: moduleAt(new URL(file, import.meta.url)), path: '', isIt: true});
	return said;
};
