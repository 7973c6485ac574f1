-- The all-in total of a rental in cents: a function of the vehicle and the number of days only, so
-- that it can be computed ahead for every length that a search can ask for.
-- bookings/pricing.py itemises the same sum; a test holds the two to each other.
-- One expression without FROM, so that PostgreSQL inlines it: called as a function it made reading
-- a document five times as dear. The rental less its rounded discount is one division rounded the
-- other way (+ 49), the fee of 10 % is in the factor 110.
CREATE FUNCTION rental_total_cents(
    daily_rate integer, weekly_pct smallint, monthly_pct smallint, cleaning_fee integer, days integer
) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
    SELECT (cleaning_fee + ((daily_rate::bigint * days * (
        100 - CASE WHEN days >= 28 THEN monthly_pct WHEN days >= 7 THEN weekly_pct ELSE 0 END
    ) + 49) / 100 * 110 + 50) / 100)::integer
$$;

-- One function for all tables and operations; plpgsql plans only the branch that runs, so a branch
-- may name a transition table that another operation does not have.
CREATE FUNCTION mark_vehicles_dirty() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF TG_TABLE_NAME = 'vehicles' THEN
        IF TG_OP = 'INSERT' THEN
            INSERT INTO search_dirty (vehicle_id) SELECT id FROM new_rows;
        ELSIF TG_OP = 'DELETE' THEN
            INSERT INTO search_dirty (vehicle_id) SELECT id FROM old_rows;
        ELSE
            INSERT INTO search_dirty (vehicle_id)
            SELECT id FROM new_rows UNION SELECT id FROM old_rows;
        END IF;
    ELSIF TG_OP = 'INSERT' THEN
        INSERT INTO search_dirty (vehicle_id) SELECT DISTINCT vehicle_id FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO search_dirty (vehicle_id) SELECT DISTINCT vehicle_id FROM old_rows;
    ELSE
        -- A row may move from one vehicle to another: both change.
        INSERT INTO search_dirty (vehicle_id)
        SELECT vehicle_id FROM new_rows UNION SELECT vehicle_id FROM old_rows;
    END IF;
    RETURN NULL;
END
$$;

-- TRUNCATE fires no row or transition-table trigger: the index would keep what is gone.
CREATE FUNCTION refuse_truncate() RETURNS trigger
LANGUAGE plpgsql
AS $$
BEGIN
    IF current_setting('rides.allow_truncate', true) IS DISTINCT FROM 'on' THEN
        RAISE EXCEPTION 'TRUNCATE of % would not reach the search index', TG_TABLE_NAME
            USING HINT = 'use DELETE';
    END IF;
    RETURN NULL;
END
$$;
