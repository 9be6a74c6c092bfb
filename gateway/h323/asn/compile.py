#!/usr/bin/env python3
"""Make C tables of PER types from a schema text. usage: compile.py SCHEMA > schema.c

Notation: the head of h323.schema. Every inner type ("OF octets", "int(0..7)") becomes a row of its own, equal ones once.
"""
import re
import sys

KIND = re.compile(r'^(SEQ|CHO|ENUM)(\.\.\.)?\{ ?(.*?) ?\}$')
SIZE = re.compile(r'^\[(\d+)(?:\.\.(\d+|MAX))?\]')
INT = re.compile(r'^int\((-?\d+)\.\.(-?\d+|MAX)(,\.\.\.)?\)$')
FIELD = re.compile(r'^\d+ ([A-Za-z0-9-]+)(\?)?(?::(.*))?$')
STRINGS = {'ia5': (8, ''), 'printable': (8, ''), 'numeric': (4, ' 0123456789'), 'bmp': (16, '')}
WIDER = {'225': ('235', '245'), '235': ('225',), '245': (), 'MEDIA-TRAVERSAL': ('245', '225'), 'SIGNALLING-TRAVERSAL': ('225',)}


def split(text):
    """Top-level commas; not those of alphabets and braces."""
    parts, depth, quoted, start = [], 0, False, 0
    for at, char in enumerate(text):
        quoted ^= char == '"'
        depth += (not quoted) * ((char in '{([') - (char in '})]'))
        if char == ',' and depth == 0 and not quoted:
            parts.append(text[start:at].strip())
            start = at + 1
    return [p for p in parts + [text[start:].strip()] if p]


def bits_of(alphabet):
    need = max((len(alphabet) - 1).bit_length(), 1)
    return next(b for b in (1, 2, 4, 8, 16) if b >= need)


class Schema:
    def __init__(self, lines):
        self.source, self.rows, self.index, self.fields = {}, [], {}, []
        for line in lines:
            if line.strip() and not line.startswith('#'):
                module, rest = line.rstrip('\n').split('\t')
                name, _, text = rest.partition(' = ')
                self.source[module, name] = text

    def module_of(self, module, name):
        for m in (module,) + WIDER[module]:
            if (m, name) in self.source:
                return m
        raise KeyError(f'{module}: {name}')

    def add(self, key, row):
        self.index[key] = len(self.rows)
        self.rows.append(row)
        return self.index[key]

    def named(self, module, name):
        module = self.module_of(module, name)
        key = (module, name)
        if key in self.index:
            return self.index[key]
        text = self.source[key]
        match = KIND.match(text)
        if not match:
            return self.inner(module, text)
        row = dict(name=f'{module}:{name}', kind='PER_' + match[1], ext=bool(match[2]), lo=0, hi=-1)
        self.add(key, row)
        root, _, more = match[3].partition('|+')
        fields = [self.field(module, f) for f in split(root)], [self.field(module, f) for f in split(more)]
        row.update(first=len(self.fields), n_root=len(fields[0]), n_add=len(fields[1]))
        self.fields += fields[0] + fields[1]
        return self.index[key]

    def field(self, module, text):
        match = FIELD.match(text)
        if not match:
            raise ValueError(f'{module}: {text}')
        return match[1], self.inner(module, match[3]) if match[3] else self.inner(module, 'null'), bool(match[2])

    def inner(self, module, text):
        text = text.strip()
        key = (module, '=' + text)
        if key in self.index:
            return self.index[key]
        return self.simple(module, text, key)

    def simple(self, module, text, key):
        fixed = {'null': 'PER_NULL', 'bool': 'PER_BOOL', 'oid': 'PER_OID', 'INT': 'PER_INT'}
        if text in fixed:
            return self.add(key, dict(name=text, kind=fixed[text], lo=0, hi=-1, free=text == 'INT'))
        if text == 'SEQ{}...':
            return self.add(key, dict(name='SEQ{}', kind='PER_SEQ', ext=True, lo=0, hi=-1))
        match = INT.match(text)
        if match:
            return self.add(key, dict(name=text, kind='PER_INT', lo=int(match[1]), ext=bool(match[3]),
                                      hi=-1 if match[2] == 'MAX' else int(match[2]), no_hi=match[2] == 'MAX'))
        if text.startswith('OPEN('):
            return self.add(key, dict(name=text, kind='PER_OPEN', lo=0, hi=-1, elem=self.named(module, text[5:-1])))
        match = re.match(r'^OF(\[[^\]]*\])? (.*)$', text)
        if match:
            row = dict(name=text.replace('"', "'"), kind='PER_OF', **self.size(match[1]))
            row['elem'] = self.inner(module, match[2])
            return self.add(key, row)
        return self.string(module, text, key)

    def string(self, module, text, key):
        match = re.match(r'^([A-Za-z0-9-]+)(\[[^\]]*\])?(?: from"([^"]*)")?$', text)
        base = match[1] if match else None
        if base == 'TBCD-STRING' and match[2]:	# the type with a size added
            alphabet = re.search(r'from"([^"]*)"', self.source[module, base])[1]
            return self.string(module, f'ia5{match[2]} from"{alphabet}"', key)
        row = dict(name=text.replace('"', "'").replace('\\', ''), **self.size(match[2] if match else None))
        if base in ('octets', 'bits', 'general'):
            return self.add(key, dict(row, kind='PER_' + base.upper()))
        if base in STRINGS:
            bits, alphabet = STRINGS[base]
            if match[3]:
                alphabet, bits = ''.join(sorted(match[3])), bits_of(match[3])
            if alphabet and ord(alphabet[-1]) < 1 << bits:
                alphabet = ''	# codes are sent as they are
            return self.add(key, dict(row, kind='PER_STRING', bits=bits, alphabet=alphabet))
        if ':' in text and text.split(':')[0] in WIDER:
            return self.named(*text.split(':'))
        return self.named(module, text)

    @staticmethod
    def size(text):
        match = SIZE.match(text or '')
        if not match:
            return dict(lo=0, hi=-1)
        return dict(lo=int(match[1]), hi=-1 if match[2] == 'MAX' else int(match[2] or match[1]))


def c_row(r):
    get = r.get
    flags = '|'.join(f for f, on in (('PER_EXT', get('ext')), ('PER_NO_HI', get('no_hi')), ('PER_FREE', get('free'))) if on) or '0'
    alphabet = '"%s"' % get('alphabet') if get('alphabet') else 'NULL'
    return '\t{ "%s", %s, %s, %d, %d, %d, %d, %d, %d, %d, %s },' % (
        r['name'], r['kind'], flags, get('bits', 0), get('n_root', 0), get('n_add', 0), get('first', 0), get('elem', 0),
        r['lo'], r['hi'], alphabet)


def main():
    with open(sys.argv[1], encoding='utf-8') as lines:
        schema = Schema(lines)
    for module, name in list(schema.source):
        schema.named(module, name)
    print('/* Made by compile.py; do not edit. */\n#include "gateway/h323/per_priv.h"\n')
    print('const struct per_type per_types[] = {')
    print('\n'.join(c_row(r) for r in schema.rows))
    print('};\nconst unsigned per_n_types = %d;\n\nconst struct per_field per_fields[] = {' % len(schema.rows))
    print('\n'.join('\t{ "%s", %d, %s },' % (n, t, str(o).lower()) for n, t, o in schema.fields))
    print('};')


main()
