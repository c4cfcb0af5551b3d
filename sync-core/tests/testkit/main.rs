//! Tests of the testkit itself: a kit that lets wrong engines pass would prove nothing.

mod fake;
mod notation;
mod runner;
mod sim;
