mod fixture;
mod pruning;
mod running;
mod sandbox;
mod tables;
