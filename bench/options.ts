import {resolve} from 'node:path';
import {parseArgs} from 'node:util';
import {type Cell, cellName, everyCell, quickCells} from './messages.ts';

const help = `npm run bench -- [options]

  --quick          only 64 connections, not streaming, 2 KB and 64 KB: about a minute
  --only a,b       contenders whose name contains one of these (direct and undici are worth keeping: they are the measure)
  --cells a,b      some of these: ${everyCell.map(cellName).join(' ')}
  --rounds n       interleaved rounds at most (default 3)
  --minutes n      no new round that would end after this, the warming up apart (default 6)
  --personal       an e-mail address and a phone number in every message, so that masking has something to rewrite
  --workers        two workers against one process, on two cores that they share with the load; nothing else
  --node           the load generator and the responder in Node, although a C compiler is here
  --json file      all samples and medians as JSON`;

export interface Options {
	cells: Cell[];
	only: string[];
	rounds: number;
	budgetMs: number;
	personal: boolean;
	workers: boolean;
	node: boolean;
	json: string | undefined;
}

const positive = (name: string, text: string) => {
	const value = Number(text);
	if (!(value > 0)) throw new Error(`--${name} wants a number above 0, not "${text}"`);
	return value;
};

const list = (text: string | undefined) => (text ?? '').split(',').filter(Boolean);

function chosenCells(quick: boolean, wanted: string[]) {
	const cells = quick ? quickCells : everyCell;
	if (wanted.length === 0) return cells;
	const chosen = everyCell.filter(cell => wanted.includes(cellName(cell)));
	if (chosen.length === 0) throw new Error(`--cells ${wanted}: no such cell, there are ${everyCell.map(cellName).join(' ')}`);
	return chosen;
}

/** What the command line asks for, or undefined when it asked for help and got it. */
export function readOptions(args: string[]): Options | undefined {
	const {values} = parseArgs({
		args,
		options: {
			quick: {type: 'boolean', default: false},
			only: {type: 'string'},
			cells: {type: 'string'},
			rounds: {type: 'string', default: '3'},
			minutes: {type: 'string', default: '6'},
			personal: {type: 'boolean', default: false},
			workers: {type: 'boolean', default: false},
			node: {type: 'boolean', default: false},
			json: {type: 'string'},
			help: {type: 'boolean', default: false},
		},
	});
	if (values.help) {
		console.log(help);
		return undefined;
	}
	return {
		cells: chosenCells(values.quick, list(values.cells)),
		only: list(values.only),
		rounds: Math.round(positive('rounds', values.rounds)),
		budgetMs: positive('minutes', values.minutes) * 60_000,
		personal: values.personal,
		workers: values.workers,
		node: values.node,
		json: values.json && resolve(process.env.INIT_CWD ?? '.', values.json), // npm changes the folder and says so
	};
}
