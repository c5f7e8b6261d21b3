mod fixture;
mod pruning;
mod reads;
mod running;
mod sandbox;
mod tables;
