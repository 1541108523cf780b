-- A remaining useful life has confidence limits and the method that found it; remaining_hours is the estimate itself.
-- The words are checked where they are written (a constraint could not be added where old chunks are compressed).

alter table predictions
    add column remaining_lower_hours double precision,
    add column remaining_upper_hours double precision,
    add column remaining_method text,
    add column remaining_model text;
