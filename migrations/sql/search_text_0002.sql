-- How PostgreSQL reads text when it answers searches: words as Elasticsearch's analyzer `folded`
-- makes them (search/mapping.py), as near as its own dictionaries come.
CREATE EXTENSION IF NOT EXISTS unaccent;
-- The same stemmer, and no stop words: "A" is a class of car.
CREATE TEXT SEARCH DICTIONARY vehicle_stem (TEMPLATE = snowball, LANGUAGE = porter);
CREATE TEXT SEARCH CONFIGURATION vehicle_text (PARSER = "default");
ALTER TEXT SEARCH CONFIGURATION vehicle_text
    ADD MAPPING FOR asciiword, word, numword, int, uint, float, sfloat, version
    WITH unaccent, vehicle_stem;

-- Lower case, without accents, letters and digits only: nothing is left that the parser would take
-- for an address, a path or a sign. The built-in collation makes case the same on every machine.
CREATE FUNCTION plain_words(given text) RETURNS text
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN btrim(regexp_replace(
    unaccent('unaccent', lower(given COLLATE pg_c_utf8)) COLLATE pg_c_utf8,
    '[^[:alnum:]]+', ' ', 'g'
));

-- Cut, because a tsvector holds a megabyte at most and more would be an error.
CREATE FUNCTION vehicle_words(given text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsvector('vehicle_text', plain_words(left(coalesce(given, ''), 100000)));

-- One word as a query, in the places that carry one of the labels; '' for anywhere.
CREATE FUNCTION vehicle_query(word text, labels text) RETURNS tsquery
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN to_tsquery(
    'vehicle_text',
    replace(plain_words(word), ' ', CASE labels WHEN '' THEN '' ELSE ':' || labels END || ' & ')
    || CASE labels WHEN '' THEN '' ELSE ':' || labels END
);

-- Functions, because an expression over a document's arrays needs a subquery.
CREATE FUNCTION document_texts(list jsonb) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT jsonb_array_elements_text(list));

CREATE FUNCTION document_days(list jsonb) RETURNS datemultirange
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN (
    SELECT range_agg(daterange((day ->> 'gte')::date, (day ->> 'lt')::date))
    FROM jsonb_array_elements(list) AS day
);

CREATE FUNCTION document_totals(totals jsonb) RETURNS integer[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN ARRAY(SELECT (totals ->> n::text)::integer FROM generate_series(1, 30) AS n);
