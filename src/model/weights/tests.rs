//! Tests of reading weights.
