import test from 'ava';
import {nearest} from '../core/config/nearest.ts';

const keys = ['use', 'as', 'config', 'mode', 'when', 'onFailure', 'tier', 'trust', 'grants', 'baseUrl', 'timeoutMs'];

test('a letter too many, too few, wrong or swapped still finds the word', t => {
	for (const [word, meant] of [
		['modes', 'mode'],
		['mde', 'mode'],
		['modi', 'mode'],
		['moed', 'mode'],
		['baseURL', 'baseUrl'],
		['timeout', 'timeoutMs'],
		['onfailure', 'onFailure'],
	]) {
		t.is(nearest(word!, keys), meant, word);
	}
});

test('a word that is like none of them finds none', t => {
	for (const word of ['limitUsd', 'priority', 'x', 'url', '']) t.is(nearest(word, word === '' ? [] : keys), undefined, word);
});
