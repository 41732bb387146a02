import {stripTypeScriptTypes} from 'node:module';
import * as acorn from 'acorn';
import type {Path} from './problems.ts';

/** Counted from 1. */
export type Place = {line: number; column: number};

/** A config file as it is written. */
export type Source = {
	/** Where the value at `path` is written, or the nearest thing around it that this file spells out. */
	valueAt(path: Path): Place;
	/** Where the last key of `path` is written; the nearest thing around it otherwise. */
	keyAt(path: Path): Place;
	/** The name of the function that is called to make the value at `path`. */
	callAt(path: Path): string | undefined;
	/** Keys that an object names again: JavaScript would silently keep only the last. */
	repeatedKeys(): Path[];
	imports: {specifier: string; place: Place}[];
};

type Found = {key: acorn.Node; value: acorn.AnyNode};

/** TypeScript without its types; everything else stands where it stood. */
// Node prints "stripTypeScriptTypes is an experimental feature" for doing on request what it does by itself at every import.
export const stripTypes = (text: string): string => {
	const {emitWarning} = process;
	process.emitWarning = () => undefined;
	try {
		return stripTypeScriptTypes(text);
	} finally {
		process.emitWarning = emitWarning;
	}
};

const nameOf = (property: acorn.Property): string | undefined => {
	const {key, computed} = property;
	if (key.type === 'Literal') return String(key.value);
	return key.type === 'Identifier' && !computed ? key.name : undefined;
};

const calleeOf = (node: acorn.AnyNode): string | undefined =>
	node.type === 'CallExpression' && node.callee.type === 'Identifier' ? node.callee.name : undefined;

/** Follows a value to the literal it stands for, as far as this file tells. */
const follower = (program: acorn.Program) => {
	const constants = new Map<string, acorn.AnyNode>();
	for (const statement of program.body) {
		const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement;
		if (declaration?.type !== 'VariableDeclaration') continue;
		for (const {id, init} of declaration.declarations) if (id.type === 'Identifier' && init) constants.set(id.name, init);
	}

	const follow = (node: acorn.AnyNode, seen: ReadonlySet<acorn.AnyNode> = new Set()): acorn.AnyNode => {
		if (seen.has(node)) return node;
		const onward = (next: acorn.AnyNode | undefined) => (next ? follow(next, new Set([...seen, node])) : node);
		if (node.type === 'Identifier') return onward(constants.get(node.name));
		if (node.type === 'AwaitExpression') return onward(node.argument);
		if (calleeOf(node) === 'defineConfig') return onward((node as acorn.CallExpression).arguments[0]);
		if (node.type !== 'MemberExpression' || node.computed || node.property.type !== 'Identifier') return node;
		return onward(inObject(node.object, node.property.name)?.value);
	};

	const inObject = (node: acorn.AnyNode, name: string): Found | undefined => {
		const object = follow(node);
		if (object.type !== 'ObjectExpression') return undefined;
		for (const property of object.properties.toReversed()) {
			if (property.type === 'SpreadElement') {
				const found = inObject(property.argument, name);
				if (found) return found;
			} else if (nameOf(property) === name) return property;
		}
		return undefined;
	};

	const elementsOf = (node: acorn.AnyNode): acorn.AnyNode[] | undefined => {
		const list = follow(node);
		if (list.type !== 'ArrayExpression') return undefined;
		const elements: acorn.AnyNode[] = [];
		for (const element of list.elements) {
			if (element === null) return elements;
			if (element.type !== 'SpreadElement') elements.push(element);
			else {
				const more = elementsOf(element.argument);
				if (!more) return elements; // how many there are, and so what follows, is known only when it runs
				elements.push(...more);
			}
		}
		return elements;
	};

	const step = (node: acorn.AnyNode, segment: PropertyKey): Found | undefined => {
		if (typeof segment !== 'number') return inObject(node, String(segment));
		const element = elementsOf(node)?.[segment];
		return element && {key: element, value: element};
	};

	return {follow, elementsOf, step};
};

/** Reads the text of a config file. Throws a SyntaxError, acorn's or that of Node's type stripping, when it cannot be parsed. */
export const readSource = (text: string): Source => {
	const program = acorn.parse(stripTypes(text), {ecmaVersion: 'latest', sourceType: 'module', locations: true, allowHashBang: true});
	const {follow, elementsOf, step} = follower(program);
	const exported = program.body.find(statement => statement.type === 'ExportDefaultDeclaration');
	const root: acorn.AnyNode = exported?.declaration ?? program;

	const placeOf = (node: acorn.Node): Place => ({line: node.loc!.start.line, column: node.loc!.start.column + 1});

	const walk = (path: Path): Found & {whole: boolean} => {
		let here: Found = {key: root, value: root};
		for (const segment of path) {
			const next = step(here.value, segment);
			if (!next) return {...here, whole: false};
			here = next;
		}
		return {...here, whole: true};
	};

	const repeatedIn = (node: acorn.AnyNode, path: Path): Path[] => {
		const elements = elementsOf(node);
		if (elements) return elements.flatMap((element, index) => repeatedIn(element, [...path, index]));
		const value = follow(node);
		if (value.type !== 'ObjectExpression') return [];
		const seen = new Set<string>();
		return value.properties.flatMap(property => {
			const name = property.type === 'Property' ? nameOf(property) : undefined;
			if (property.type !== 'Property' || name === undefined) return [];
			const inside = repeatedIn(property.value, [...path, name]);
			const repeated = seen.has(name) ? [[...path, name]] : [];
			seen.add(name);
			return [...repeated, ...inside];
		});
	};

	return {
		valueAt(path) {
			const {key, value, whole} = walk(path);
			// What is not there belongs into the object around it.
			return placeOf(whole || value !== root ? value : calleeOf(value) === 'defineConfig' ? follow(value) : key);
		},
		keyAt: path => placeOf(walk(path).key),
		callAt(path) {
			const {value, whole} = walk(path);
			return whole ? calleeOf(value) : undefined;
		},
		repeatedKeys: () => repeatedIn(root, []),
		imports: program.body.flatMap(node =>
			node.type === 'ImportDeclaration' ? [{specifier: String(node.source.value), place: placeOf(node)}] : [],
		),
	};
};
