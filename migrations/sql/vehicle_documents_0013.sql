-- What a vehicle looks like when searched: one column per field of search/fields.py, for listed
-- vehicles only. The indexer selects row_to_json(row) by id, so every value must be the same in every
-- session and at every time: integers, fixed-scale numerics, text, booleans, epoch milliseconds,
-- ISO dates by to_char, arrays in "C" order; never now(), never a float. json, not jsonb: nothing looks
-- into it here, and to parse, sort and number it is a quarter of the cost of a document.
CREATE VIEW vehicle_documents AS
SELECT
    v.id,
    v.make,
    v.model,
    v.year,
    coalesce(v.title, concat_ws(' ', v.year, v.make, v.model)) AS title,
    -- Neighbouring words of make and model also as one: F-150 is found by f150, C-HR by chr.
    concat_ws(' ', v.year, v.make, v.model, v.title, (
        SELECT string_agg(part || next_part, ' ' ORDER BY n) FROM (
            SELECT n, part, lead(part) OVER (ORDER BY n) AS next_part
            FROM regexp_split_to_table(concat_ws(' ', v.make, v.model), '[-\s/.,&+()]+')
                WITH ORDINALITY AS word (part, n)
        ) AS pairs
    )) AS name,
    v.description,
    v.body,
    v.fuel,
    v.transmission,
    v.seats,
    ARRAY(
        SELECT f.feature FROM vehicle_features AS f
        WHERE f.vehicle_id = v.id ORDER BY f.feature COLLATE "C"
    ) AS features,
    v.daily_rate_cents AS daily_rate,
    v.currency,
    -- The daily rate in thousandths of the median of comparable listings: of the region, else of the
    -- country (indexer/medians.py). That is a table, so that a listing does not change its neighbours.
    (
        SELECT least((v.daily_rate_cents * 1000::bigint + m.median / 2) / m.median, 10000)
        FROM price_medians AS m
        WHERE
            m.currency = v.currency AND m.country = v.country AND m.body = v.body
            AND m.region IN (v.region, '')
        ORDER BY m.region DESC LIMIT 1
    )::integer AS price_vs_median,
    v.weekly_discount_pct,
    v.monthly_discount_pct,
    v.cleaning_fee_cents AS cleaning_fee,
    -- Thirty calls in one row: half as dear again to gather them from generate_series.
    (
        SELECT row_to_json(totals) FROM (SELECT
            rental_total_cents(rate, week, month, fee, 1) AS "1",
            rental_total_cents(rate, week, month, fee, 2) AS "2",
            rental_total_cents(rate, week, month, fee, 3) AS "3",
            rental_total_cents(rate, week, month, fee, 4) AS "4",
            rental_total_cents(rate, week, month, fee, 5) AS "5",
            rental_total_cents(rate, week, month, fee, 6) AS "6",
            rental_total_cents(rate, week, month, fee, 7) AS "7",
            rental_total_cents(rate, week, month, fee, 8) AS "8",
            rental_total_cents(rate, week, month, fee, 9) AS "9",
            rental_total_cents(rate, week, month, fee, 10) AS "10",
            rental_total_cents(rate, week, month, fee, 11) AS "11",
            rental_total_cents(rate, week, month, fee, 12) AS "12",
            rental_total_cents(rate, week, month, fee, 13) AS "13",
            rental_total_cents(rate, week, month, fee, 14) AS "14",
            rental_total_cents(rate, week, month, fee, 15) AS "15",
            rental_total_cents(rate, week, month, fee, 16) AS "16",
            rental_total_cents(rate, week, month, fee, 17) AS "17",
            rental_total_cents(rate, week, month, fee, 18) AS "18",
            rental_total_cents(rate, week, month, fee, 19) AS "19",
            rental_total_cents(rate, week, month, fee, 20) AS "20",
            rental_total_cents(rate, week, month, fee, 21) AS "21",
            rental_total_cents(rate, week, month, fee, 22) AS "22",
            rental_total_cents(rate, week, month, fee, 23) AS "23",
            rental_total_cents(rate, week, month, fee, 24) AS "24",
            rental_total_cents(rate, week, month, fee, 25) AS "25",
            rental_total_cents(rate, week, month, fee, 26) AS "26",
            rental_total_cents(rate, week, month, fee, 27) AS "27",
            rental_total_cents(rate, week, month, fee, 28) AS "28",
            rental_total_cents(rate, week, month, fee, 29) AS "29",
            rental_total_cents(rate, week, month, fee, 30) AS "30"
        ) AS totals
    ) AS total,
    -- Weighted by reviews: what the source says of its own, and ours one by one. A source that
    -- gives a rating without a count counts as one.
    CASE WHEN r.n + i.n > 0 THEN ((i.rating * i.n::bigint + r.sum + (r.n + i.n) / 2) / (r.n + i.n))::integer
    END AS rating,
    (r.n + v.imported_review_count)::integer AS review_count,
    -- The two halves of a Bayesian average whose prior weighs as 10 reviews: for any prior mean,
    -- average = evidence + mean * doubt, so that a profile can choose the mean. Profiles name the
    -- weight and are refused with another (search/fields.py, PRIOR_REVIEWS).
    (((i.rating * i.n::bigint + r.sum) * 10 + (r.n + i.n + 10) / 2) / (r.n + i.n + 10))::integer AS rating_evidence,
    ((100000 + (r.n + i.n + 10) / 2) / (r.n + i.n + 10))::integer AS rating_doubt,
    v.min_days,
    v.max_days,
    v.notice_days,
    v.instant_book,
    CASE WHEN v.lat IS NOT NULL THEN json_build_object('lat', v.lat, 'lon', v.lon) END AS location,
    v.city,
    v.region,
    v.country,
    v.time_zone,
    (
        SELECT p.url FROM photos AS p WHERE p.vehicle_id = v.id ORDER BY p.position LIMIT 1
    ) AS photo_url,
    v.host_id,
    (extract(EPOCH FROM v.listed_at) * 1000)::bigint AS listed_at,
    -- Not clipped to today: time passing must not change a document.
    (
        SELECT json_agg(
            json_build_object(
                'gte', to_char(lower(free), 'YYYY-MM-DD'), 'lt', to_char(upper(free), 'YYYY-MM-DD')
            ) ORDER BY free
        )
        FROM (
            SELECT
                datemultirange(daterange('1970-01-01', '9999-12-31'))
                - coalesce(range_agg(taken.during), '{}') AS days
            FROM (
                SELECT during FROM bookings
                WHERE vehicle_id = v.id AND status IN ('held', 'confirmed', 'active')
                UNION ALL
                SELECT during FROM calendar_blocks WHERE vehicle_id = v.id
            ) AS taken
        ) AS calendar, unnest(calendar.days) AS free
    ) AS free
FROM vehicles AS v
CROSS JOIN LATERAL (
    SELECT
        v.daily_rate_cents AS rate, v.weekly_discount_pct AS week, v.monthly_discount_pct AS month,
        v.cleaning_fee_cents AS fee
) AS price
CROSS JOIN LATERAL (
    SELECT count(*) AS n, coalesce(sum(rating), 0) AS sum FROM reviews
    WHERE vehicle_id = v.id AND hidden_at IS NULL
) AS r
CROSS JOIN LATERAL (
    SELECT
        coalesce(v.imported_rating, 0) AS rating,
        CASE WHEN v.imported_rating IS NULL THEN 0 ELSE greatest(v.imported_review_count, 1) END AS n
) AS i
WHERE v.status = 'listed';
