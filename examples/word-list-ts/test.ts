import test from 'ava';
import {wordListBehaves} from '../../plugins/word-list/shared.ts';

wordListBehaves(test, import.meta.url);
