-- Words of names that are nearly as they were typed, by the rule of Elasticsearch's fuzzy queries.
CREATE EXTENSION IF NOT EXISTS fuzzystrmatch;

-- Letters wrong, missing, too many, or swapped with the next (optimal string alignment):
-- fuzzystrmatch counts a swap as two.
CREATE FUNCTION wrong_letters(one text, other text) RETURNS integer
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE
AS $$
DECLARE
    a text[] := string_to_array(one, NULL);
    b text[] := string_to_array(other, NULL);
    before integer[];
    above integer[] := ARRAY(SELECT generate_series(0, cardinality(b)));
    these integer[];
    fewest integer;
BEGIN
    FOR i IN 1 .. cardinality(a) LOOP
        these := ARRAY[i];
        FOR j IN 1 .. cardinality(b) LOOP
            fewest := least(above[j] + (a[i] <> b[j])::integer, above[j + 1] + 1, these[j] + 1);
            IF i > 1 AND j > 1 AND a[i] = b[j - 1] AND a[i - 1] = b[j] THEN
                fewest := least(fewest, before[j - 1] + 1);
            END IF;
            these[j + 1] := fewest;
        END LOOP;
        before := above;
        above := these;
    END LOOP;
    RETURN above[cardinality(b) + 1];
END
$$;

CREATE TYPE similar_words AS (any_of tsquery, terms tsquery[], shares double precision[]);

-- The words of names in which at most so many letters are wrong, never the first, each with its
-- share of right letters; the 50 nearest, as in Elasticsearch. What is far by fuzzystrmatch's count
-- is far by the other too, so that few words are compared letter by letter.
CREATE FUNCTION similar_names(word text, most integer) RETURNS similar_words
LANGUAGE sql STABLE PARALLEL SAFE
AS $$
    WITH given AS (
        SELECT (tsvector_to_array(vehicle_words(word)))[1] AS term
    ), near AS MATERIALIZED (
        SELECT value, term
        FROM given
        JOIN vehicle_search_values ON field = 'name'
            AND value >= left(term, 1) AND value < left(term, 1) || U&'\+10FFFF'
        WHERE CASE
            WHEN length(value) BETWEEN length(term) - most AND length(term) + most
            THEN levenshtein_less_equal(value, term, 2 * most) <= 2 * most
        END
    ), nearest AS (
        SELECT value, 1 - wrong::double precision / least(length(value), length(term)) AS share
        FROM near
        CROSS JOIN LATERAL wrong_letters(substr(term, 2), substr(value, 2)) AS wrong
        WHERE wrong <= most
        ORDER BY share DESC, value COLLATE "C"
        LIMIT 50
    )
    SELECT ROW(
        coalesce(string_agg(quote_literal(value) || ':A', ' | '), '')::tsquery,
        coalesce(array_agg((quote_literal(value) || ':A')::tsquery), '{}'),
        coalesce(array_agg(share), '{}')
    )::similar_words
    FROM nearest
$$;
